"""Which address is this machine's, a private network's or the public one's, in all its spellings."""

from __future__ import annotations

import pytest

from assetbuild.errors import ProviderSetupError
from assetbuild.hosts import base, fetchable, host_of, is_local, public


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.apiframe.ai", "api.apiframe.ai"),
        ("https://API.Apiframe.AI:443/v2/", "api.apiframe.ai"),
        ("https://api.apiframe.ai.", "api.apiframe.ai"),
        ("https://gateway.example:8443/apiframe", "gateway.example:8443"),
        ("https://10.1.2.3", "10.1.2.3"),
        ("https://[2001:DB8:0::1]", "[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ("http://127.0.0.1:8080", "loopback"),
        ("http://127.9.9.9", "loopback"),
        ("http://localhost:1", "loopback"),
        ("http://LOCALHOST./x", "loopback"),
        ("http://[::1]:8080", "loopback"),
        ("http://[0:0:0:0:0:0:0:1]", "loopback"),
        ("http://[::ffff:127.0.0.1]", "loopback"),
        ("https://localhost", "loopback"),
    ],
)
def test_host_of(url: str, host: str) -> None:
    assert host_of(url) == host
    assert is_local(url) == (host == "loopback")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (
            "http://api.apiframe.ai",
            "the `base_url` to `api.apiframe.ai` begins with `http://`: the API key would travel in the clear",
        ),
        ("http://10.1.2.3:8080", "the `base_url` to `10.1.2.3` begins with `http://`: the API key would travel in the clear"),
        (
            "http://localhost.example",
            "the `base_url` to `localhost.example` begins with `http://`: the API key would travel in the clear",
        ),
        (
            "http://127.0.0.1.example",
            "the `base_url` to `127.0.0.1.example` begins with `http://`: the API key would travel in the clear",
        ),
        ("https://me:secret@api.example", "the `base_url` to `api.example` can't be used"),
        ("https://api.example/?secret=1", "the `base_url` to `api.example` can't be used"),
        ("https://api.example/#secret", "the `base_url` to `api.example` can't be used"),
        ("ftp://api.example", "the `base_url` to `api.example` can't be used"),
        ("api.example", "the `base_url` can't be used"),
        ("https://", "the `base_url` can't be used"),
        ("https://api.example:secret", "the `base_url` can't be used"),
        ("https://api.example/a b", "the `base_url` can't be used"),
        ("https://[::1", "the `base_url` can't be used"),
        ("", "the `base_url` can't be used"),
    ],
)
def test_a_base_url_that_cant_be_used(url: str, text: str) -> None:
    with pytest.raises(ProviderSetupError) as raised:
        base(url)
    assert raised.value.text == text
    assert raised.value.hint
    assert "secret" not in raised.value.render()


PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::"]
OTHERS = [
    "127.0.0.1", "127.255.0.1", ".".join("0000"), "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1",
    "2002:7f00:1::", "2002:a00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "", "localhost", "1.1.1", "2130706433", "0x7f.1", "0177.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize("address", OTHERS)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://cdn.example/a.png", "data:image/png;base64,AAAA", "//cdn.example/a.png", "/a.png", "cdn.example/a.png",
        "https://user@cdn.example/a.png", "https://user:word@cdn.example/a.png", "https://cdn.example\\@127.0.0.1/a.png",
        "https:///a.png", "https://%31%32%37.0.0.1/a.png", "https://[fe80::1%25lo]/a.png", "https://cdn.example:port/a.png", "https://cdn.example/a b.png", "",
        "https://cdn.example/a\r\nx: y",
        "gopher://cdn.example",
    ],
)  # fmt: skip
@pytest.mark.parametrize("local", [False, True])
def test_no_address_of_a_picture(url: str, local: bool) -> None:
    assert fetchable(url, local=local) is None


def test_addresses_of_pictures() -> None:
    assert fetchable("https://CDN.example./a.png?x=1#y", local=False) == "cdn.example"
    assert fetchable("http://127.0.0.1:80/a.png", local=True) == "127.0.0.1"
    assert fetchable("http://127.0.0.1:80/a.png", local=False) is None
    assert fetchable("http://cdn.example/a.png", local=False) is None
    for home in ("https://localhost/a.png", "https://127.0.0.1/a.png", "https://[::ffff:127.0.0.1]/a.png"):
        assert fetchable(home, local=True)
        assert fetchable(home, local=False) is None
