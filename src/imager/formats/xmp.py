"""Reads XMP packets and sidecars: RDF in XML, turned into plain dictionaries.

`containers` finds the packet, `normalise` makes facts of the properties. A property is named by its
namespace's usual prefix ('dc:title') whatever prefix the file uses. A simple value becomes text, an ordered
or unordered list a list, language alternatives a dictionary by language, a structure a dictionary.

XMP specification part 1 (ISO 16684-1), sections 6 and 7; RDF/XML. XML is parsed by defusedxml: a packet with
a document type or entities is refused. Size, depth and number of elements are bounded; what was read before a
packet breaks off is kept.
"""

from __future__ import annotations

import re
from typing import Any, Final

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from imager.formats.exif import summary

MAX_PACKET: Final = 16 << 20
MAX_ELEMENTS: Final = 50_000
MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 5_000  # of one element
MAX_BINARY: Final = 16_384  # longer text without a blank is a picture in base64

PREFIXES: Final[dict[str, str]] = {
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://creativecommons.org/ns#": "cc",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://ns.acdsee.com/iptc/1.0/": "acdsee",
    "http://ns.acdsee.com/sdef/1.0/": "acdsee-stags",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/bj/": "xmpBJ",
    "http://ns.adobe.com/xap/1.0/g/": "xmpG",
    "http://ns.adobe.com/xap/1.0/g/img/": "xmpGImg",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/rights/": "xmpRights",
    "http://ns.adobe.com/xap/1.0/sType/Area#": "stArea",
    "http://ns.adobe.com/xap/1.0/sType/Dimensions#": "stDim",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xap/1.0/sType/ResourceRef#": "stRef",
    "http://ns.adobe.com/xap/1.0/t/pg/": "xmpTPg",
    "http://ns.adobe.com/xmp/Identifier/qual/1.0/": "xmpidq",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/xmp/1.0/DynamicMedia/": "xmpDM",
    "http://ns.adobe.com/xmp/sType/Area#": "stArea",
    "http://ns.apple.com/adjustment-settings/1.0/": "aas",
    "http://ns.apple.com/faceinfo/1.0/": "apple-fi",
    "http://ns.google.com/photos/1.0/camera/": "GCamera",
    "http://ns.google.com/photos/1.0/container/": "Container",
    "http://ns.google.com/photos/1.0/container/item/": "Item",
    "http://ns.google.com/photos/1.0/depthmap/": "GDepth",
    "http://ns.google.com/photos/1.0/image/": "GImage",
    "http://ns.google.com/photos/1.0/panorama/": "GPano",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.useplus.org/ldf/xmp/1.0/": "plus",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://www.metadataworkinggroup.com/schemas/collections/": "mwg-coll",
    "http://www.metadataworkinggroup.com/schemas/keywords/": "mwg-kw",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/XML/1998/namespace": "xml",
    "adobe:ns:meta/": "x",
    "urn:imager:xmp:1.0/": "imager",
}
_TAKEN: Final = frozenset(PREFIXES.values())
_LISTS: Final = {"rdf:Bag", "rdf:Seq", "rdf:Alt"}
_NOT_PROPERTIES: Final = {"rdf:about", "rdf:ID", "rdf:nodeID", "rdf:parseType", "rdf:datatype", "rdf:bagID"}
_CONTROL: Final = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D})  # not allowed in XML, yet met
_ATTRIBUTE: Final = re.compile("=\\s*[\"']")
_LARGE: Final = 1 << 16
_PIECE: Final = 1 << 20


class _TooMuchError(Exception):
    """The packet passed a limit."""


class _Element:
    """An XML element as far as RDF needs it."""

    __slots__ = ("attributes", "children", "name", "parts")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[_Element] = []
        self.parts: list[str] = []


class _Target:
    """What the parser reports to: builds `_Element`s, within limits."""

    def __init__(self) -> None:
        self.root = _Element("", {})
        self.open = [self.root]
        self.count = 0
        self.names: dict[str, str] = {}
        self.prefixes: dict[str, str] = {}

    def start_ns(self, prefix: str, uri: str) -> None:
        if len(self.prefixes) < 1000:
            self.prefixes.setdefault(uri, prefix)

    def name(self, expanded: str) -> str:
        """'{uri}local' as 'prefix:local'; a foreign namespace keeps the file's prefix if it is free."""
        known = self.names.get(expanded)
        if known is None:
            uri, _, local = expanded[1:].rpartition("}") if expanded[:1] == "{" else ("", "", expanded)
            prefix = PREFIXES.get(uri)
            if prefix is None and uri:
                prefix = self.prefixes.get(uri) or ""
                if not prefix or prefix in _TAKEN:
                    prefix = uri
            known = f"{prefix}:{local}" if prefix else local
            self.names[expanded] = known
        return known

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1 + len(attributes)
        if self.count > MAX_ELEMENTS or len(self.open) > MAX_DEPTH:
            raise _TooMuchError
        element = _Element(self.name(tag), {self.name(k): v for k, v in attributes.items()})
        self.open[-1].children.append(element)
        self.open.append(element)

    def end(self, tag: str) -> None:  # noqa: ARG002  (the parser passes it)
        self.open.pop()

    def data(self, text: str) -> None:
        self.open[-1].parts.append(text)

    def close(self) -> None:
        """Nothing is left to do."""


def read_xmp(packet: bytes, problems: list[str]) -> dict[str, Any]:
    """Read a packet or sidecar as properties by name; notes in `problems` what could not be read."""
    if len(packet) > MAX_PACKET:
        problems.append("The XMP is larger than 16 MB and was not read.")
        return {}
    utf8 = _as_utf8(packet)
    # What follows the packet (padding, the rest of a segment) is not XML.
    utf8 = utf8.partition(b"<?xpacket end")[0]
    start = utf8.find(b"<")
    if start < 0:
        problems.append("The XMP holds no XML.")
        return {}
    legal = utf8[start:].translate(None, _CONTROL).replace(b"\xef\xbf\xbe", b"").replace(b"\xef\xbf\xbf", b"")
    text = legal.decode("utf-8", "replace")
    if len(legal) > _LARGE and any(
        len(part) > _LARGE and len(_ATTRIBUTE.findall(part)) > MAX_ATTRIBUTES for part in text.split("<")
    ):
        # The parser collects a tag's attributes before it reports any.
        problems.append("The XMP has too many attributes and was not read.")
        return {}
    target = _Target()
    parser = XMLParser(target=target, forbid_dtd=True)
    try:
        for at in range(0, len(text), _PIECE):
            parser.feed(text[at : at + _PIECE])
        parser.close()
    except DefusedXmlException:
        problems.append("The XMP declares a document type or entities and was not read.")
        return {}
    except _TooMuchError:
        problems.append("The XMP has too many or too deeply nested elements; the rest was not read.")
    except (ParseError, ValueError):
        problems.append("The XMP is not well-formed; what precedes the damage was read.")
    result: dict[str, Any] = {}
    for rdf in _descendants(target.root, "rdf:RDF"):
        for description in rdf.children:
            for name, value in _structure(description).items():
                _merge(result, name, value)
    for meta in target.root.children:
        if meta.name == "x:xmpmeta" and "x:xmptk" in meta.attributes:
            result.setdefault("x:xmptk", meta.attributes["x:xmptk"])
    return result


def _as_utf8(packet: bytes) -> bytes:
    """Find out the encoding from the first bytes: a byte order mark, or how the first '<' is written."""
    head = packet.lstrip(b" \t\r\n")[:4]
    for mark, encoding in (
        (b"\xff\xfe\0\0", "utf-32"),
        (b"\0\0\xfe\xff", "utf-32"),
        (b"<\0\0\0", "utf-32-le"),
        (b"\0\0\0<", "utf-32-be"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
        (b"<\0", "utf-16-le"),
        (b"\0<", "utf-16-be"),
    ):
        if head.startswith(mark):
            return packet.decode(encoding, "replace").encode("utf-8", "replace")
    try:
        packet.decode("utf-8")
    except UnicodeDecodeError:
        # Bytes none of which pair up as UTF-8 are a code page; else it is UTF-8 with a damaged place.
        if re.search(rb"[\xc2-\xf4][\x80-\xbf]", packet) is None:
            return packet.decode("cp1252" if len(packet) < _PIECE else "latin-1", "replace").encode()
    return packet


def _descendants(element: _Element, name: str) -> list[_Element]:
    """All elements of a name that do not lie within each other."""
    if element.name == name:
        return [element]
    return [found for child in element.children for found in _descendants(child, name)]


def _structure(node: _Element) -> dict[str, Any]:
    """The properties of a node: its attributes and its children."""
    result: dict[str, Any] = {
        name: _text(value)
        for name, value in node.attributes.items()
        if name not in _NOT_PROPERTIES and not name.startswith("xml:")
    }
    for child in node.children:
        _merge(result, child.name, _value(child))
    return result


def _value(element: _Element) -> Any:
    """The value of a property element (RDF/XML 7.2.14 to 7.2.21, as far as XMP allows them)."""
    if element.attributes.get("rdf:parseType") == "Resource":
        return _structure(element)
    for child in element.children:
        if child.name in _LISTS:
            return _list(child)
        # A node: rdf:Description, or one with a type of its own.
        return _structure(child)
    if "rdf:resource" in element.attributes:
        return _text(element.attributes["rdf:resource"])
    fields = _structure(element)
    return fields or _text("".join(element.parts))


def _list(container: _Element) -> Any:
    items = [item for item in container.children if item.name == "rdf:li"]
    if container.name == "rdf:Alt" and any("xml:lang" in item.attributes for item in items):
        result: dict[str, Any] = {}
        for item in items:
            result.setdefault(item.attributes.get("xml:lang") or "x-default", _value(item))
        return result
    return [_value(item) for item in items]


def _text(value: str) -> Any:
    if len(value) > MAX_BINARY and not re.search(r"\s", value.strip()):
        return summary(value.encode())
    return value


def _merge(result: dict[str, Any], name: str, value: Any) -> None:
    """Add a property; a repeated one (which XMP forbids and people write) becomes a list."""
    before = result.get(name)
    if before is None:
        result[name] = value
    elif isinstance(before, list):
        before.extend(value if isinstance(value, list) else [value])
    elif isinstance(before, dict) and isinstance(value, dict):
        for key, item in value.items():
            before.setdefault(key, item)
    elif before != value:
        result[name] = [before, *value] if isinstance(value, list) else [before, value]
