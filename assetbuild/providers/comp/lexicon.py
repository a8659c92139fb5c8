"""The words `comp` knows: kinds of pictures, things it has a pictogram of, colour names, words that make no title. Tables
only.

`nouns` and `hues` match whole words and phrases, the longest first, case folded, in the singular and the plural. The entry "" of
a table has phrases that mean none of its other entries ("hot dog", "key visual"). The tables are part of the drawing: change
them with the model's name.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    return frozenset(text.split("|"))


KINDS: dict[str, str] = {
    "": "box office|black box|text box|box set|phone number|phone call|phone booth|card game|card reader|credit card|debit card"
    "|score card|tea bag|bag of tricks|mobile home|crest of the|crest of a|in character|full of character"
    "|print run|print shop|printing press|page number|behind the scene|cover band|under cover|record label|label maker"
    "|record shop|search bar|tool box|juke box|sand box|post box|letter box|back cover"
    "|brand story|card table|house of cards|phone in hand",
    "box": "packaging box"
    "|cereal box|shoe box|hat box|tea box|cardboard box|coffee box|gift box|carton|folding box|box|schachtel|faltschachtel|kartonverpackung",
    "pouch": "stand-up pouch|pouch|coffee bag|paper bag|refill bag|sachet|tote bag|tote|shopping bag|bag|beutel|tüte|påse|packaging|package|verpackung",
    "label": "bottle label|jar label|label|etikett|sticker|etikette",
    "phone": "phone mockup"
    "|phone|mobile app|app screen|mobile screen|smartphone|iphone|mobile|app store screenshot|onboarding screen|login screen|home screen|handy",
    "browser": "browser mockup|browser|website|web page|webpage|landing page|home page|homepage|web shop|online shop|dashboard",
    "icons": "icon sheet|icon set|sheet of icons|set of icons|icons|pictograms|sticker sheet|spritesheet|sprite sheet",
    "icon": "app icon|icon|favicon|avatar",
    "logo": "logo|logotype|wordmark|brand mark|monogram|emblem|crest",
    "book": "picture book|picture-book|book page|book spread|double page|double-page spread|book cover|storybook|children's book|bilderbuch|page",
    "character": "character sheet|character page|character design|model sheet|turnaround|character|mascot",
    "product": "packshot|product shot|product photo|product picture|product image|product|still life|catalogue|catalog",
    "card": "business card|greeting card|card|gift card|invitation|ticket|voucher|flyer|postcard",
    "banner": "banner|header|social post|social media|thumbnail|cover image|story|ad|advert|og image|billboard",
    "panel": "panel|comic|storyboard|illustration|vignette|spot illustration|scene",
    "pattern": "seamless pattern|pattern|wallpaper|wrapping paper|repeat pattern|fabric print|gift wrap",
    "poster": "packaging artwork|packaging design|pack design|label artwork|label design|front of pack|artwork|key visual"
    "|poster|plakat|affisch|affiche|cartel|manifesto|album cover|record cover|magazine cover|art print|print|cover|playbill",
}

# words for a kind that as often say something else: they count where no other word names a kind
FAINT_KINDS = _phrases(
    "mobile|page|scene|illustration|story|ad|header|print|cover|crest|product|character|panel|pattern|label|bag|tote|card|box|phone"
    "|ticket|artwork|packaging|package|sticker|thumbnail|avatar|emblem"
)

SUBJECTS: dict[str, str] = {
    "": "hand drawn|hand lettering|hand lettered|hand written|hand painted|second hand|on the one hand"
    "|on the other hand|eye catching|eye level|eye candy|bird's eye view|bird’s eye view|birds eye view|fish eye|fisheye|worm's eye view"
    "|oil painting|oil paint|water colour|water color|wood cut|wood type|wood texture|wood grain|film grain|film noir|paper grain"
    "|grain texture|grain filter|golden hour|blue hour|rule of thirds|key visual|key colour|key color|key art|key light|high key|low key"
    "|colour key|color key|white space|negative space|empty space|copy space|breathing space|plenty of space|site map|road map"
    "|mind map|all caps|small caps|in caps|caps lock|cap height|running text|running head|running order|play of light|shadow play"
    "|speech balloon|band of colour|band of color|bands of colour|bands of color|rubber band|head band|safe area|safe zone|safe space"
    "|heart of|at heart|heart of the|star of the show|rising star|star rating|five star|hot dog|top dog|cat walk|fat cat"
    "|cash cow|fish and chips|horizon line|time line|time lapse|time frame|each time|every time|at a time|at the same time"
    "|this time|first time|last time|over time|in time|on time|time after time|long time|real time|full time|part time|one time"
    "|in place|in the first place|in place of|place holder|place mat|take place|takes place|first place|left place|on location"
    "|up to date|to date|date night|out of date|bank holiday|river bank|food bank|piggy bank|gift card|home page|home screen"
    "|home button|home made|home style|spring roll|spring onion|spring clean|cream cheese|sun glasses|sun screen|sun flower"
    "|rose gold|lemon yellow|cherry red|chain store|key ring"
    "|music stand|snow white|cloud computing|the cloud|fire place|fire wall|fire works"
    "|wave length|wave form|flash light|spot light|boat load|train of thought|on the same plane"
    "|picture plane|focal plane|ground plane|power of|pet peeve|bear in mind|rain of|sea of|sea of people|ocean of|forest of|world of"
    "|line of sight|eye line|hair line|grid system|type face|butter paper|bread crumb|bread crumbs|cookie banner|cookie notice"
    "|team work|dream team|support text|call to action|check box|check boxes|check pattern|map out|hat trick",
    "cup": "cup"
    "|mug|coffee|espresso|cappuccino|latte|tea|kaffee|kaffe|fika|café|cafe|tasse|kopp|brew|brewed|brewing|teacup|coffee shop|coffee cup|chai|matcha|cocoa",
    "glass": "glass|wine glass|juice|drink|lemonade|cocktail|soda|iced tea|cold brew|smoothie|wine|beer|champagne|spritz|gin",
    "bean": "bean|bohne|böna",
    "beans": "beans|coffee beans|nuts|seeds|almond|hazelnut|cacao|bohnen",
    "grinder": "grinder|grind|grinding|mill|mühle",
    "kettle": "kettle|teapot|coffee pot|kanne|moka|pour-over",
    "flame": "flame|fire|roast|roasting|roaster|spicy|chili|campfire|feuer",
    "drop": "water drop|drops|water|olive oil|oil|rain drop|serum|honey|syrup|shampoo|lotion|tropfen",
    "leaf": "leaf|leaves|organic|nature|eco|green tea|mint|basil|sage|blatt|salad|herbal tea|matcha tea",
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
    "star": "star|magic|stern|galaxy|starry sky|starry night|constellation",
    "heart": "heart|love|health|valentine|herz|wedding|charity",
    "cloud": "cloud|weather|wolke",
    "rain": "rain|storm|regen|autumn",
    "snow": "snow|winter|frost|snowflake|schnee",
    "wave": "wave|sea|ocean|surf|surfing|surfer|meer|hav|sea salt|swim|swimming",
    "boat": "boat|sailing|sailboat|ship|harbour|harbor|yacht|ferry|sail|kayak|canoe",
    "house": "house|home|cottage|cabin|haus|hus|barn|farm|real estate|farmhouse|villa|hotel|hostel|lighthouse",
    "city": "city|town|skyline|urban|street|stadt|building|architecture|office",
    "shop": "shop|farmers market|farmers' market|market|bakery|kiosk|laden|restaurant|storefront|bistro|shop window",
    "bird": "bird|sparrow|robin|owl|dove|vogel|fågel|hen|duck|chicken",
    "fish": "fish|salmon|tuna|fisch|fisk|aquarium|whale|shark",
    "cat": "cat|kitten|katze|katt|tiger|lion",
    "dog": "dog|puppy|hund|pet|bear|teddy bear",
    "fox": "fox|fuchs|räv|wolf",
    "bee": "bee|beeswax|biene|insect|beehive|butterfly|bumblebee|honey bee",
    "person": "person|woman|women|man|men|user|profile|account|barista|boy|girl|child|kid|junge|mädchen|pojke|chef|portrait|dancer|runner",
    "people": "people|friends|family|team|community|couple|crowd|customers|children|kids",
    "hand": "hand|hands|handmade|fingers|handshake",
    "eye": "eye|eyes|vision|optician|eyewear",
    "bottle": "bottle|flasche|flaska|vinegar|perfume|sauce|tonic|cleanser",
    "jar": "jar|tin|canister|caddy|jam|marmalade|marmelade|preserves|face cream|hand cream|balm|butter|pickle|peanut butter|konfitüre|sylt|honey jar",
    "bag": "shopping bag|tote bag|handbag|backpack|shopping",
    "box": "parcel|package|delivery|shipping|crate|carton",
    "gift": "gift|present|geschenk|birthday|reward|gift box",
    "book": "book|reading|library|buch|bok|novel|notebook|journal|bookshop|bookstore|literature",
    "bread": "bread|toast|loaf|brot|bröd|sourdough|flour|whole grain|wheat|baguette|baker",
    "croissant": "croissant|pastry|bun|cinnamon bun|kanelbulle|breakfast|viennoiserie",
    "cake": "cake|cupcake|dessert|sweets|kuchen|tårta|party|chocolate|cookie|caramel|ice cream|doughnut|donut|muffin|birthday party",
    "apple": "apple|fruit|apfel|äpple|pear|peach|vegetable|tomato|food|cider",
    "lemon": "lemon|zitrone|citron|mango|ginger|lime|lemonade stand",
    "citrus": "oranges|orange slice|orange juice|orange zest|citrus|grapefruit|bergamot|mandarin|vitamin",
    "berry": "cherry|berry|strawberry|blueberry|raspberry|kirsche|grape|plum",
    "soap": "soap|seife|tvål|bath|foam|bubbles",
    "candle": "candle|kerze|stearinljus|wax|incense|hygge|candlelight",
    "lamp": "lamp|lampe|lampa|idea|lantern|light bulb|lightbulb",
    "chair": "chair|furniture|stuhl|stol|sofa|interior|desk",
    "plant": "plant|pflanze|växt|seedling|sprout|growth|potted plant|cactus|succulent|houseplant|monstera",
    "shirt": "shirt|t-shirt|tee|clothing|fashion|hoodie|sweater|jumper|jacket|coat|dress|cotton|wool|knitwear",
    "towel": "towel|tea towel|napkin|tablecloth|blanket|dishcloth|quilt",
    "shoe": "shoe|sneaker|boot|running|running shoe|trainers|schuh|marathon|sport|sportswear",
    "hat": "hat|baseball cap|hatt|beanie|straw hat",
    "bike": "bike|bicycle|cyclist|cycling|fahrrad|cykel|bike ride|scooter",
    "car": "car|road trip|road|taxi|van|motoring",
    "train": "train|railway|tram|zug|metro|bus|train station|subway",
    "plane": "plane|aeroplane|airplane|flight|airport|airline|travel|reise",
    "rocket": "rocket|outer space|space travel|spaceship|spacecraft|startup|moonshot|astronaut",
    "balloon": "balloon|hot air balloon|festival|circus",
    "guitar": "guitar|rock band|indie band|folk band|brass band|the band|concert|gig|folk music|rock concert",
    "music": "music|song|jazz|musik|piano|choir|radio|sound|vinyl|record player|turntable|orchestra|opera",
    "camera": "camera|cinema|photographer|film festival|movie",
    "clock": "clock|wristwatch|pocket watch|time|slowly|hour|uhr|minutes|timer|stopwatch",
    "bell": "bell|notification|alarm|alert",
    "search": "search|magnifier|magnifying glass",
    "gear": "gear|settings|engine|tool|wrench|cogwheel|machinery",
    "mail": "mail|email|newsletter|envelope|love letter|postage stamp|post office|letterbox",
    "lock": "lock|padlock|security|privacy",
    "key": "key|login|access|password",
    "cart": "cart|checkout|basket",
    "coin": "coin|money|payment|loyalty|savings|banking|bank account|rewards|wallet",
    "pin": "map pin|location pin|pin|map|location",
    "chat": "chat|message|speech bubble|conversation",
    "calendar": "calendar|schedule|appointment|week|month",
    "chart": "chart|analytics|statistics|graph|annual report|sales|finance|metrics",
    "play": "play button|video|podcast",
    "phone": "phone call|telephone",
    "check": "check mark|checkmark|certified|tick",
    "bolt": "bolt|energy|electric|power|lightning|electricity|charger|battery",
    "globe": "globe|world|earth|language|international|planet|welt",
    "crown": "crown|king|queen|royal|premium|luxury|krone|kungakrona",
    "sword": "sword|blade|dagger|sabre|saber|schwert|dolch|svärd",
    "shield": "shield|armour|armor|rüstung|schutzschild|sköld|schild",
    "potion": "potion|elixir|magic potion|flask|trank|zaubertrank|heiltrank|trolldryck",
    "umbrella": "umbrella|insurance",
    "tent": "tent|camp|camping|outdoor|adventure",
}


# things that are also what somebody does: none of them before "the", "a", "it" ("ship it", "swim the lake")
DOING = _words(
    "present book bear train sail swim surf drink check search pin map chat message schedule tick lock bolt grind mill brew roast"
    " dream sleep love fish shop rain storm snow toast play camp water plant sprout butter preserve pickle smoke gear coin mail boot"
    " star crown bank tent bathe bath light flower leaf branch house box bag sound surf cap hand eye face head foot"
)

# words of other languages that say something else in English, and the other way round: language → words that aren't meant
FALSE_FRIENDS: dict[str, frozenset[str]] = {
    "en": _words("rot gul vit stern sol auto hut rock bart mantel brun bok kind laden handy krone"),
    "de": frozenset(["hat"]),
    "sv": frozenset(["hat"]),
}


# words that only colour a picture: a thing that is named beside them is the subject
FAINT = _words("""
coffee kaffee kaffe fika café cafe summer sommer spring winter autumn morning night evening midnight slow slowly time
hour minutes love health party nature organic eco holiday world office home food fast travel dawn sunset dusk sunrise
community friends customers premium idea report week month language team brew brewed sea ocean weather garden interior
fashion adventure outdoor street town sound machine sport language international world search account user profile
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
    "cinnamon": "#A85B32", "tan": "#CBA57C", "khaki": "#B5A878", "copper": "#B46A40", "bronze": "#94683A", "honey": "#E0A33B",
    "rose gold": "#CF9A88", "baby blue": "#B5D5EE", "ice blue": "#CFE6F0", "electric blue": "#2B55F0", "duck egg": "#C4DDD6",
    "baby pink": "#F5C9D3", "blood orange": "#D9482B", "racing green": "#15402E", "bottle green": "#17452F", "sea green": "#3C9B7F",
    "cherry red": "#B81F35", "brick red": "#A8432F", "fire red": "#D4301F", "leaf green": "#5B9A3C", "sun yellow": "#F9C622",
    "ultramarine": "#2A3BB0", "stone": "#CFC8BB", "cherry": "#B81F35", "cornflower": "#6C8FD8", "fuchsia": "#D0307F", "ink": "#1E2233",
    "hellblau": "#A9CFEA", "dunkelblau": "#1F2F5C", "dunkelgrün": "#1F4D3A", "hellgrün": "#9CCB9C", "mörkblå": "#1F2F5C",
    "ljusblå": "#A9CFEA", "mörkgrön": "#1F4D3A",
}  # fmt: skip

# the plain names, that another word before them only shades ("navy blue")
HUES = _words(
    "black white grey gray red orange yellow green blue purple violet pink brown"
    " schwarz weiss grau rot gelb grün blau braun svart vit röd gul grön blå brun"
)

# things as well as colours: colours only where they are used as such
BOTH = _phrases(
    "salmon|peach|apricot|lime|olive|mint|sage|lavender|chocolate|espresso|caramel|cinnamon|plum|sand|oat|cream|rose|gold|silver"
    "|copper|bronze|brick|rust|slate|jade|amber|emerald|ivory|coral|honey|mustard|moss|charcoal|petrol|tan|orange|rosa|violet|stone"
    "|cherry|ink|graphite|blush|lilac|cornflower|fuchsia|blood orange|aqua|ochre|cobalt"
)

# those of them that are seldom things: beside another colour they are one ("cream and sage")
SELDOM = _words("sand cream gold silver ivory charcoal slate blush stone rust coral moss petrol tan ochre cobalt lilac")

# phrases with a colour's name that are no colour
NO_COLOUR = _phrases(
    "black friday|red wine|white wine|rose wine|green tea|black tea|white tea|black coffee|flat white|white chocolate|brown bread"
    "|brown sugar|orange juice|orange blossom|orange marmalade|orange zest|orange peel|orange slice|red cross|green energy|blue cheese"
    "|white house|white space|golden hour|blue hour|black box|black hole|green card|red carpet|blue note|white noise|green onion|olive oil"
    "|mint tea|rose water|peach tea|honey bee|sand castle|gold medal|silver medal|bronze medal|silver screen|yellow pages|white label|red hot"
    "|black belt|red head|white board|black board|green screen|gold standard|green light|red light|red tape|pink noise"
    "|black pepper|white pepper|red pepper|green pepper|white bread|red onion|brown rice|white rice|black bean|black beans|green beans|red fox"
    "|brown bear|black bear|white christmas|green party|sage advice|mint condition|peach melba|ice cream|face cream|hand cream"
    "|sour cream|cream cheese|whipped cream|chocolate cake|caramel sauce|cinnamon bun|cinnamon roll|oat milk|oat soap|rose garden"
)

# words before a colour's name: what is mixed into it, and how much of that
SHADES: dict[str, tuple[str, int]] = {
    "dark": ("#101014", 42), "deep": ("#101014", 26), "rich": ("#101014", 12), "light": ("#FFFFFF", 52), "pale": ("#FFFFFF", 58),
    "soft": ("#F6F1EA", 38), "pastel": ("#FFFFFF", 46), "dusty": ("#A89F98", 38), "muted": ("#9A958F", 38), "faded": ("#CFC8C0", 42),
    "burnt": ("#5A2412", 32), "warm": ("#E8A060", 12), "cool": ("#6C9AC8", 12), "bright": ("#FFFFFF", 0), "neon": ("#FFFFFF", 0),
    "vivid": ("#FFFFFF", 0),
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
