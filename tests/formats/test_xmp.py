"""XMP packets in all the forms that RDF allows, and hostile XML."""

from __future__ import annotations

import json
import time
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats.xmp import read_xmp
from tests.formats.blocks import alt, bag, xmp

FEW = settings(max_examples=60, derandomize=True, deadline=None)
legal = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")


def read(packet: bytes) -> dict[str, object]:
    problems: list[str] = []
    found = read_xmp(packet, problems)
    assert problems == []
    found.pop("x:xmptk", None)
    return found


@FEW
@given(st.lists(st.text(legal, max_size=30), max_size=6), st.text(legal, min_size=1, max_size=30))
def test_lists_and_texts_are_read_back_as_they_were_written(words: list[str], title: str) -> None:
    packet = xmp(bag("dc:subject", [escape(word) for word in words]) + alt("dc:title", x_default=escape(title)))
    assert read(packet) == {"dc:subject": words, "dc:title": {"x-default": title}}


def test_attributes_and_elements_say_the_same() -> None:
    assert read(xmp("<xmp:Rating>4</xmp:Rating>")) == read(xmp("", 'xmp:Rating="4"')) == {"xmp:Rating": "4"}


def test_namespaces_go_by_their_address_and_not_by_the_files_prefix() -> None:
    packet = (
        b'<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        b'<r:Description xmlns:dc="http://ns.adobe.com/xap/1.0/" dc:Rating="3" xmlns:my="http://example.org/" my:a="b">'
        b'<foo:format xmlns:foo="http://purl.org/dc/elements/1.1/">image/jpeg</foo:format>'
        b"</r:Description></r:RDF>"
    )
    assert read(packet) == {"xmp:Rating": "3", "my:a": "b", "dc:format": "image/jpeg"}


def test_a_foreign_namespace_cannot_pose_as_a_known_one() -> None:
    packet = xmp('<dc:title xmlns:dc="http://example.org/">Not a title</dc:title>')
    assert read(packet) == {"http://example.org/:title": "Not a title"}


@pytest.mark.parametrize(
    "body",
    [
        '<exif:Flash rdf:parseType="Resource"><exif:Fired>True</exif:Fired><exif:Mode>1</exif:Mode></exif:Flash>',
        "<exif:Flash><rdf:Description><exif:Fired>True</exif:Fired><exif:Mode>1</exif:Mode></rdf:Description></exif:Flash>",
        '<exif:Flash><rdf:Description exif:Fired="True" exif:Mode="1"/></exif:Flash>',
        '<exif:Flash exif:Fired="True" exif:Mode="1"/>',
    ],
)
def test_structures_are_read_in_all_their_forms(body: str) -> None:
    assert read(xmp(body)) == {"exif:Flash": {"exif:Fired": "True", "exif:Mode": "1"}}


def test_alternatives_by_language_are_kept_by_language() -> None:
    packet = xmp(alt("dc:title", x_default="House", de="Haus", fr_FR="Maison"))
    assert read(packet) == {"dc:title": {"x-default": "House", "de": "Haus", "fr-FR": "Maison"}}


def test_addresses_are_values_too() -> None:
    assert read(xmp('<dc:source rdf:resource="http://example.org/a"/>')) == {"dc:source": "http://example.org/a"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"])
def test_packets_are_read_in_every_unicode_encoding(encoding: str) -> None:
    packet = xmp(alt("dc:title", x_default="Brücke 日本")).decode().encode(encoding)
    assert read(packet) == {"dc:title": {"x-default": "Brücke 日本"}}


def test_a_packet_in_latin_1_is_read() -> None:
    packet = xmp(alt("dc:title", x_default="Br-cke")).replace(b"\xef\xbb\xbf", b"").replace(b"Br-cke", b"Br\xfccke")
    assert read(packet) == {"dc:title": {"x-default": "Brücke"}}


def test_padding_and_what_follows_the_packet_do_no_harm() -> None:
    assert read(b"\0\n " + xmp("", 'xmp:Rating="4"') + b"   \0\0rubbish <a>") == {"xmp:Rating": "4"}


def test_control_characters_that_xml_forbids_are_passed_over() -> None:
    assert read(xmp(alt("dc:title", x_default="a\x00b\x0bc"))) == {"dc:title": {"x-default": "abc"}}


def test_what_precedes_the_damage_is_kept() -> None:
    problems: list[str] = []
    packet = xmp("<xmp:Rating>4</xmp:Rating><dc:format>image</dc:format><broken")
    assert read_xmp(packet, problems)["xmp:Rating"] == "4"
    assert problems == ["The XMP is not well-formed; what precedes the damage was read."]


def test_a_picture_in_base64_is_kept_as_its_digest_only() -> None:
    found = read(xmp(f"<xmp:Thumb>{'QUJD' * 10_000}</xmp:Thumb>"))
    assert found["xmp:Thumb"] == {"bytes": 40_000, "sha256": "b5bf3ae531614ba6"}


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join('<!ENTITY a{} "{}">'.format(i, f"&a{i - 1 if i else ''};" * 10) for i in range(12))
    + "]>"
)


@pytest.mark.parametrize(
    "head",
    [
        BOMB,
        '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_document_types_and_entities_are_refused(head: str) -> None:
    problems: list[str] = []
    assert read_xmp(head.encode() + b"<x>&a11;</x>", problems) == {}
    assert problems == ["The XMP declares a document type or entities and was not read."]


@pytest.mark.parametrize(
    "body",
    [
        "<dc:a>" * 1_000_000,
        "<dc:a>1</dc:a>" * 200_000,
        "<dc:a " + " ".join(f'dc:b{i}="1"' for i in range(500_000)) + "/>",
        "".join(f"<a:b xmlns:a='u{i}'/>" for i in range(30_000)),
        "<dc:a>" + "\n" * 4_000_000 + "</dc:a>",
        "<dc:a>" + "\x01" * 10_000_000 + "</dc:a>",
        "x" * (17 << 20),
    ],
    ids=["deep", "many", "attributes", "namespaces", "lines", "controls", "large"],
)
def test_hostile_packets_are_read_in_bounded_time(body: str) -> None:
    packet = xmp(body)
    started = time.process_time()
    found = read_xmp(packet, [])
    assert time.process_time() - started < 5  # processor time; a quadratic reader takes minutes
    json.dumps(found)


@FEW
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    json.dumps(read_xmp(data, []))


@FEW
@given(st.data())
def test_mutated_packets_never_raise(data: st.DataObject) -> None:
    packet = bytearray(xmp(bag("dc:subject", ["a", "b"]) + alt("dc:title", x_default="T", de="U"), 'xmp:Rating="3"'))
    for _ in range(data.draw(st.integers(1, 6))):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    json.dumps(read_xmp(bytes(packet), []))
