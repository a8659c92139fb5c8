"""The words `comp` knows: kinds of pictures, things it has a pictogram of, colour names, words that make no title. Tables
only.

A word is matched at its beginning and end, case folded, plural `s`/`es` allowed. The tables are part of the drawing: change
them with the model's name.
"""

from __future__ import annotations

KINDS: dict[str, str] = {
    "box": "packaging box|coffee box|gift box|carton|folding box|box|schachtel|faltschachtel|kartonverpackung",
    "pouch": "stand-up pouch|pouch|coffee bag|paper bag|refill bag|sachet|bag|beutel|tüte|påse|packaging|package|verpackung",
    "label": "bottle label|jar label|label|etikett|sticker|etikette",
    "phone": "phone mockup|phone|mobile app|app screen|mobile screen|smartphone|iphone|mobile|app store screenshot|handy",
    "browser": "browser mockup|browser|website|web page|webpage|landing page|home page|homepage|web shop|online shop|dashboard",
    "icons": "icon sheet|icon set|sheet of icons|set of icons|icons|pictograms|sticker sheet|spritesheet|sprite sheet",
    "icon": "app icon|icon|favicon|avatar",
    "logo": "logo|logotype|wordmark|brand mark|monogram|emblem|crest",
    "book": "picture book|picture-book|book page|book cover|storybook|children's book|bilderbuch|page",
    "character": "character sheet|character page|character design|model sheet|turnaround|character|mascot",
    "product": "packshot|product shot|product photo|product picture|product image|product|still life|catalogue|catalog",
    "card": "business card|greeting card|card|gift card|invitation|ticket|voucher|flyer|postcard",
    "banner": "banner|header|social post|social media|thumbnail|cover image|story|ad|advert|og image|billboard",
    "panel": "panel|comic|storyboard|illustration|vignette|spot illustration|scene",
    "pattern": "seamless pattern|pattern|wallpaper|texture|wrapping paper|background",
    "poster": "packaging artwork|packaging design|pack design|label artwork|label design|front of pack|artwork|key visual"
    "|poster|plakat|affisch|affiche|cartel|manifesto|print|cover|playbill",
}

SUBJECTS: dict[str, str] = {
    "cup": "cup|mug|coffee|espresso|cappuccino|latte|tea|kaffee|kaffe|fika|café|cafe|tasse|kopp|brew|brewed|chai|matcha|cocoa",
    "glass": "glass|juice|drink|lemonade|cocktail|soda|iced tea|cold brew|smoothie|wine|beer",
    "bean": "bean|bohne|böna",
    "beans": "beans|coffee beans|nuts|seeds|almond|hazelnut|olive|cacao|bohnen",
    "grinder": "grinder|grind|grinding|mill|mühle",
    "kettle": "kettle|teapot|pot|kanne|moka|pour-over",
    "flame": "flame|fire|roast|roasting|roaster|spicy|chili|campfire|feuer",
    "drop": "water drop|drops|water|oil|rain drop|serum|honey|syrup|shampoo|lotion|tropfen",
    "leaf": "leaf|leaves|organic|nature|eco|green tea|mint|basil|sage|blatt",
    "sprig": "sprig|herb|rosemary|thyme|botanical|botanic|lavender|eucalyptus|branch|fern|garden",
    "flower": "flower|blossom|bloom|daisy|spring|floral|blume|blomma|chamomile|jasmine",
    "rose": "rose|rosen|peony|tulip",
    "tree": "tree|oak|baum|träd|orchard",
    "fir": "fir|pine|forest|woods|wood|christmas|cedar|wald|skog|spruce",
    "palm": "palm|tropical|island|beach|coconut|holiday|summer|sommer|strand",
    "mountain": "mountain|mountains|alps|peak|hike|hiking|hill|berg|summit|valley|trail",
    "lake": "lake|landscape|horizon|sjö|river|fjord|dawn|sunset|dusk",
    "sun": "sun|sunshine|morning|sonne|sol|sunrise|solar",
    "moon": "moon|night|evening|sleep|dream|mond|natt|midnight",
    "star": "star|stars|magic|favourite|favorite|stern|galaxy",
    "heart": "heart|love|health|valentine|herz|wedding",
    "cloud": "cloud|clouds|weather|wolke",
    "rain": "rain|storm|regen|autumn",
    "snow": "snow|winter|frost|snowflake|schnee",
    "wave": "wave|sea|ocean|surf|meer|hav|salt|swim",
    "boat": "boat|sail|sailing|ship|harbour|harbor|yacht",
    "house": "house|home|cottage|cabin|haus|hus|barn|farm|real estate",
    "city": "city|town|skyline|urban|street|stadt|building|architecture|office",
    "shop": "shop|market|bakery|kiosk|laden|restaurant|storefront",
    "bird": "bird|sparrow|robin|owl|dove|vogel|fågel|hen|duck|chicken",
    "fish": "fish|salmon|tuna|fisch|fisk|aquarium|whale|shark",
    "cat": "cat|kitten|katze|katt|tiger|lion",
    "dog": "dog|puppy|hund|pet|bear",
    "fox": "fox|fuchs|räv|wolf",
    "bee": "bee|beeswax|biene|insect|hive|butterfly",
    "person": "person|woman|man|user|profile|account|barista|boy|girl|child|kid|junge|mädchen|pojke|otto",
    "people": "people|friends|family|team|community|couple|crowd|customers",
    "hand": "hand|hands|touch|handmade|fingers",
    "eye": "eye|eyes|vision|see-through",
    "bottle": "bottle|flasche|flaska|vinegar|perfume|sauce|tonic|cleanser",
    "jar": "jar|jam|marmalade|marmelade|preserve|cream|balm|butter|pickle|glas",
    "bag": "shopping bag|tote|handbag|backpack|shopping",
    "box": "parcel|package|delivery|shipping|crate|carton",
    "gift": "gift|present|geschenk|birthday|reward",
    "book": "book|books|reading|library|buch|bok|story|novel|notebook|journal",
    "bread": "bread|toast|loaf|brot|bröd|sourdough|flour|grain",
    "croissant": "croissant|pastry|bun|cinnamon bun|kanelbulle|breakfast|viennoiserie",
    "cake": "cake|cupcake|dessert|sweet|kuchen|tårta|party|chocolate|cookie|caramel",
    "apple": "apple|fruit|apfel|äpple|pear|peach|vegetable|tomato|food",
    "lemon": "lemon|zitrone|citron|mango|ginger|lime",
    "citrus": "oranges|orange slice|orange juice|orange zest|citrus|grapefruit|bergamot|mandarin|vitamin",
    "berry": "cherry|cherries|berry|berries|strawberry|blueberry|raspberry|kirsche|grape|plum",
    "soap": "soap|seife|tvål|bath|foam|bubbles",
    "candle": "candle|kerze|ljus|wax|incense|hygge",
    "lamp": "lamp|lampe|lampa|idea|lantern",
    "chair": "chair|furniture|stuhl|stol|sofa|interior|desk",
    "plant": "plant|pflanze|växt|seedling|sprout|grow|growth|potted|cactus|succulent",
    "shirt": "shirt|t-shirt|clothing|fashion|hoodie|sweater|cotton|wool|linen",
    "shoe": "shoe|shoes|sneaker|boot|running|schuh|walk|sport",
    "hat": "hat|cap|hatt|beanie",
    "bike": "bike|bicycle|cycling|fahrrad|cykel|ride",
    "car": "car|auto|drive|road|taxi",
    "train": "train|railway|tram|zug|metro|bus|station",
    "plane": "plane|flight|airport|travel|reise|fly",
    "rocket": "rocket|space|startup|moonshot",
    "balloon": "balloon|hot air balloon|festival|circus",
    "guitar": "guitar|band|concert|folk",
    "music": "music|song|jazz|musik|piano|choir|radio|sound|party",
    "camera": "camera|gallery|film|cinema",
    "clock": "clock|time|slow|slowly|hour|uhr|minutes|timer",
    "bell": "bell|notification|alarm|alert",
    "search": "search|find|magnifier|explore",
    "gear": "gear|settings|machine|engine|tool|tools|repair",
    "mail": "mail|letter|email|newsletter|envelope|contact",
    "lock": "lock|security|privacy|safe|secure",
    "key": "key|login|access|password",
    "cart": "cart|checkout|basket",
    "coin": "coin|money|pay|payment|loyalty|bank|rewards",
    "pin": "pin|map|location|place|address|nearby|where",
    "chat": "chat|message|talk|speech|comment|support|review",
    "calendar": "calendar|date|schedule|appointment|event|week|month",
    "chart": "chart|analytics|statistics|graph|report|sales|finance",
    "play": "play|video|podcast",
    "phone": "phone call|telephone",
    "check": "check|certified|approve|tick",
    "bolt": "bolt|energy|electric|power|fast|lightning|electricity",
    "globe": "globe|world|earth|language|international|planet|welt",
    "crown": "crown|king|queen|royal|premium|luxury",
    "umbrella": "umbrella|insurance|protection",
    "tent": "tent|camp|camping|outdoor|adventure",
}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# words that only colour a picture: a thing that is named beside them is the subject
FAINT = _words("""
coffee kaffee kaffe fika café cafe summer sommer spring winter autumn morning night evening midnight slow slowly time
hour minutes love health party nature organic eco holiday world office home food fast travel dawn sunset dusk sunrise
community friends customers premium idea report week month language team brew brewed sea ocean weather garden interior
fashion adventure outdoor event street town sound
""")

ICON_FILL = (
    "heart", "star", "bell", "search", "house", "person", "gear", "mail", "lock", "cart", "coin", "pin", "chat", "calendar",
    "camera", "chart", "play", "check", "bolt", "globe", "gift", "key", "cloud", "leaf",
)  # fmt: skip

COLOURS: dict[str, str] = {
    "black": "#16161A", "schwarz": "#16161A", "svart": "#16161A", "white": "#FFFFFF", "weiß": "#FFFFFF", "vit": "#FFFFFF",
    "off-white": "#F6F1E7", "ivory": "#F8F2E2", "cream": "#F7EED9", "beige": "#E6D8BE", "sand": "#E2CDA5", "oat": "#E9DFC9",
    "grey": "#8A8D91", "gray": "#8A8D91", "grau": "#8A8D91", "charcoal": "#2E3138", "slate": "#4B5A68", "graphite": "#33363B",
    "silver": "#C3C7CB", "red": "#D13B34", "rot": "#D13B34", "röd": "#D13B34", "crimson": "#B3213C", "scarlet": "#D8352A",
    "burgundy": "#6E1F35", "maroon": "#6B2230", "wine red": "#6E1F35", "brick": "#B14E36", "rust": "#B5532A",
    "terracotta": "#C8694A", "coral": "#F2785C", "salmon": "#F29A86", "peach": "#F8BE94", "apricot": "#F5AC6B",
    "orange": "#EC7F31", "amber": "#EFA52C", "mustard": "#D9A22B", "ochre": "#CC8B2C", "gold": "#D3A23F", "yellow": "#F4C93B",
    "gelb": "#F4C93B", "gul": "#F4C93B", "lemon yellow": "#F7E05A", "lime": "#B7CF3F", "olive": "#7A7B3A", "moss": "#6A7A45",
    "sage": "#A7B89A", "green": "#3F8F5B", "grün": "#3F8F5B", "grön": "#3F8F5B", "forest green": "#1F4D3A", "emerald": "#1D7F5F",
    "mint": "#A9DCC3", "jade": "#3FA37F", "teal": "#1F7A7A", "turquoise": "#35B1AC", "petrol": "#175463", "aqua": "#6CC5C9",
    "cyan": "#3DB5CF", "sky blue": "#8EC5E8", "light blue": "#A9CFEA", "blue": "#2F6DB5", "blau": "#2F6DB5", "blå": "#2F6DB5",
    "cobalt": "#2148A5", "royal blue": "#2C4FB5", "navy": "#1C2A4A", "midnight blue": "#16213E", "indigo": "#3A3680",
    "dark blue": "#1F2F5C", "dark green": "#1F4D3A", "violet": "#6B4BA3", "purple": "#6C3F8F", "lila": "#9A7BC0",
    "plum": "#5E2F54", "lavender": "#BBAAD9", "lilac": "#C5B1DB", "mauve": "#A98AA5", "magenta": "#C22D7A", "pink": "#EE9FB4",
    "rosa": "#EE9FB4", "hot pink": "#E74C8B", "blush": "#F2CFC6", "dusty pink": "#D8A5A0", "rose": "#DB7C86", "brown": "#6F4A32",
    "braun": "#6F4A32", "brun": "#6F4A32", "chocolate": "#4C2F22", "espresso": "#33221B", "caramel": "#BF7F43",
    "cinnamon": "#A85B32", "tan": "#CBA57C", "khaki": "#B5A878", "copper": "#B46A40", "bronze": "#94683A",
}  # fmt: skip

# words that make no title: what a prompt says about a picture, not what it shows
DULL = _words("""
a an the about and or of for with without in on at to from by into onto over under as is are be it its this that these
those set put place show shows showing make makes draw drawn use using keep add change turn give create design render
everything else exactly same only new large big small little simple clean modern minimal minimalist flat vector
vectors shape shapes style styled palette colour colours color colors background foreground generous margins margin
bold thin line lines hand-drawn illustration illustrated photo photograph picture image poster plakat affisch box
pouch bag packaging label phone browser mockup mock-up screen website page landing app icon icons sheet logo book
character product packshot shot card banner panel panels pattern front back side view left right top bottom centre
center middle corner full one two three four five six seven eight nine ten very warm calm soft high low quality text
words word headline title subtitle tagline typography type font lettering reading reads says saying called named brand
all them each every no not our your their his her he she they who which what where when while still more most less
through across between around below above behind beside next near stands standing sits der die das und ein eine einen
mit auf im am den dem des von zu für ett en och på med till av ska är le la les un une et de du à pour series cover
print format ratio white black texture grain tone toned muted subtle strong large-scale wide tall square portrait
landscape-format cm mm px dpi""")

# short words that tell a language, for hyphenation and quotes
TELLTALE: dict[str, frozenset[str]] = {
    "de": _words("auf aus das dem den der die ein eine für im ist jetzt mit neu nicht und von wir zum zur"),
    "sv": _words("att av den det ett från för inte med nu och på som så till vi är"),
    "fr": _words("au aux avec dans des du en est et la le les nous pour sur une votre"),
    "es": _words("con de del el en es las los más para por que tu una y"),
    "it": _words("che con del della di e gli il lo per più sono una"),
    "nl": _words("de een en het is met niet nu onze op te van voor"),
}
