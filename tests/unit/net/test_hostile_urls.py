"""Every hostile URL is refused before a single packet leaves."""

from __future__ import annotations

import pytest

from aquatint.net.errors import BadUrl, BlockedAddress
from aquatint.net.http import HttpDoor
from aquatint.net.url import check_url, resolve_redirect

NOT_A_URL = [
    "",
    "cat.png",
    "//example.com/a.png",
    "http:/example.com/",
    "http:example.com/",
    "http://",
    "http:///etc/passwd",
    "https://?query",
    "ftp://example.com/a.png",
    "file:///etc/passwd",
    "gopher://example.com:70/_GET",
    "dict://127.0.0.1:11211/stat",
    "ws://example.com/",
    "javascript:alert(1)",
    "data:text/html,hi",
    "http://example.com\\@127.0.0.1/",
    "http://example.com\\.evil.test/",
    "http://exa mple.com/",
    " http://example.com/",
    "http://example.com/a b.png",
    "http://example.com/\r\nHost: evil.test",
    "http://example.com/\x00.png",
    "http://example.com/\t",
    "http://user@example.com/",
    "http://user:password@example.com/",
    "http://example.com@127.0.0.1/",
    "http://example.com:80@127.0.0.1/",
    "http://127.0.0.1%2f@example.com/",
    "http://%31%32%37.0.0.1/",
    "http://127.0.0.1%00.example.com/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:-80/",
    "http://example.com:/",
    "http://example.com:8o/",
    "http://example.com:٨٠/",
    "http://example.com:80:90/",
    "http://example.com:22/",
    "http://example.com:25/",
    "http://example.com:6379/",
    "http://2130706433/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://017700000001/",
    "http://127.0.0.01/",
    "http://127.0.0.1./",
    "http://localhost./",
    "http://example.com../",
    "http://169.254.169.254./latest/meta-data/",
    "http://256.256.256.256/",
    "http://1.2.3.4.5/",
    "http://example.0x10/",
    "http://[::1/",
    "http://::1/",
    "http://[::1]evil.test/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[v1.fe80::a]/",
    "http://[127.0.0.1]/",
    "http://[::ffff:127.1]/",
    "http://-example.com/",
    "http://exa_mple..com/",
    "http://" + "a" * 64 + ".com/",
    "http://" + "a." * 130 + "com/",
    "http://exam\u00adple\u200b.com:99999/",
    "http://\u2488\u2488/",
    "http://①②⑦.⓪.⓪.①.⑨/",
    "http://１２７。１/",
    "http://exa\u2100mple.com/",
    "http://example.com/" + "a" * 9000,
    "http://example.com/\ud800",
]

PRIVATE = [
    "http://localhost/",
    "http://LOCALHOST:8000/",
    "http://127.0.0.1/",
    "https://127.0.0.1:8443/admin",
    "http://127.255.255.254/",
    "http://127.0.0.1#@example.com/",
    "http://127.0.0.1/@example.com",
    "http://0.0.0.0/",
    "http://0.1.2.3/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/metadata",
    "http://169.254.169.254/latest/meta-data/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.0.0.192/opc/v2/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://192.168.1.1/",
    "http://198.18.0.1/",
    "http://198.51.100.7/",
    "http://203.0.113.7/",
    "http://224.0.0.1/",
    "http://239.255.255.250:1900/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://①②⑦.⓪.⓪.①/",
    "http://１２７.０.０.１/",
    "http://127。0。0。1/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:8.8.8.8]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::169.254.169.254]/",
    "http://[64:ff9b:1::a00:1]/",
    "http://[100::1]/",
    "http://[2001::1]/",
    "http://[2001:db8::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://[fc00::1]/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[ff02::1]/",
    "http://[4000::1]/",
]


def test_the_tables_are_long_enough() -> None:
    assert len(set(NOT_A_URL)) >= 60
    assert len(set(PRIVATE)) >= 50


@pytest.mark.parametrize("url", NOT_A_URL)
async def test_malformed(url: str, closed_door: HttpDoor) -> None:
    with pytest.raises(BadUrl):
        check_url(url)
    with pytest.raises(BadUrl):
        await closed_door.fetch(url, max_bytes=10, deadline=2)
    with pytest.raises(BadUrl):
        await closed_door.post(url, b"", {}, timeout=2)


@pytest.mark.parametrize("url", PRIVATE)
async def test_private(url: str, closed_door: HttpDoor) -> None:
    with pytest.raises(BlockedAddress) as refusal:
        await closed_door.fetch(url, max_bytes=10, deadline=2)
    assert "not at a public address" in refusal.value.message
    with pytest.raises(BlockedAddress):
        await closed_door.post(url, b"", {}, timeout=2)


@pytest.mark.parametrize("url", PRIVATE)
def test_private_addresses_are_well_formed_urls(url: str) -> None:
    """A callback to a private address is accepted at submit; only its delivery is refused."""
    assert check_url(url).scheme in ("http", "https")


@pytest.mark.parametrize(
    ("url", "wire"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM/Hook/", "https://example.com/Hook/"),
        ("https://example.com:443/a", "https://example.com/a"),
        ("https://example.com:8443/a", "https://example.com:8443/a"),
        ("http://example.com?a=b", "http://example.com/?a=b"),
        (
            "http://example.com/a/../b//c?x=%2F%zz&&y=[1]{}|^`'\"<>#top",
            "http://example.com/a/../b//c?x=%2F%zz&&y=[1]{}|^`'\"<>",
        ),
        ("http://example.com/图.png?名=值", "http://example.com/%E5%9B%BE.png?%E5%90%8D=%E5%80%BC"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://例子.测试/", "http://xn--fsqu00a.xn--0zwm56d/"),
        ("http://my_bucket.example.com/", "http://my_bucket.example.com/"),
        ("http://8.8.8.8/", "http://8.8.8.8/"),
        ("http://[2606:4700:4700::1111]:8080/", "http://[2606:4700:4700::1111]:8080/"),
        ("http://a1/", "http://a1/"),
        ("http://1.2.3.4a/", "http://1.2.3.4a/"),
    ],
)
def test_good_urls_keep_path_and_query(url: str, wire: str) -> None:
    assert check_url(url).text == wire


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("/b?c", "http://example.com:81/b?c"),
        ("b", "http://example.com:81/dir/b"),
        ("//other.example/x", "http://other.example/x"),
        ("https://other.example/x", "https://other.example/x"),
    ],
)
def test_redirects_resolve(location: str, leads_to: str) -> None:
    assert resolve_redirect(check_url("http://example.com:81/dir/a"), location).text == leads_to


@pytest.mark.parametrize("location", ["file:///etc/passwd", "http://u@x/", "http://[::1", "/a\r\nb", "ftp://x/"])
def test_bad_redirects(location: str) -> None:
    with pytest.raises(BadUrl):
        resolve_redirect(check_url("http://example.com/"), location)
