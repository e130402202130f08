"""Where the members of a zip file lie (APPNOTE.TXT of PKWARE, with its 64-bit extension), for reading them in place."""

import struct
from itertools import pairwise

from longra.errors import FormatError
from longra.files.mapped import AGAIN, MappedFile, shown

MAX_MEMBERS = 1 << 17

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_MISSING = 0xFFFFFFFF  # the value is in the 64-bit extra field


def read_directory(file: MappedFile) -> dict[str, tuple[int, int]]:
    """Members by name: (first byte, byte after the last) of their bytes in the file.

    Raises:
        FormatError: the directory is cut off or corrupt, members overlap, or one is compressed or encrypted, which
            torch.save never does and which would let a small file fill the memory.
    """
    position, size, count = _end(file)
    directory = file.map[position : position + size]
    members: dict[str, tuple[int, int]] = {}
    at = 0
    for _ in range(count):
        if at + _ENTRY.size > size:
            raise _corrupt(file, f"its directory of {size:,} bytes does not hold {count:,} members")
        (magic, _, _, flags, method, _, _, _, packed, plain, *lengths, _, _, _, local) = _ENTRY.unpack_from(
            directory, at
        )
        name_length, extra_length, comment_length = lengths
        name_at = at + _ENTRY.size
        extra_at = name_at + name_length
        at = extra_at + extra_length + comment_length
        if magic != b"PK\1\2" or at > size:
            raise _corrupt(file, f"its directory is damaged after {len(members):,} members")
        name = _text(file, directory[name_at:extra_at])
        if name in members:
            raise _corrupt(file, f"the member {shown(name)} is there twice")
        if flags & 1 or method != 0:
            what = "encrypted" if flags & 1 else "compressed"
            raise FormatError(
                f"{file.path}: the member {shown(name)} is {what}; save the weights again with torch.save"
            )
        plain, packed, local = _wide(directory[extra_at : extra_at + extra_length], [plain, packed, local])
        if plain != packed:
            raise _corrupt(file, f"the member {shown(name)} has {plain:,} bytes and takes {packed:,}")
        members[name] = _locate(file, name, local, plain)
    _check_apart(file, members)
    return members


def _corrupt(file: MappedFile, cause: str) -> FormatError:
    return FormatError(f"{file.path} is cut off or corrupt: {cause}; {AGAIN}")


def _text(file: MappedFile, name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise _corrupt(file, f"the name of a member is not UTF-8: {shown(name)}") from None


def _end(file: MappedFile) -> tuple[int, int, int]:
    """(first byte, length, members) of the directory, from the record at the file's end."""
    found = file.map.rfind(b"PK\5\6", max(0, file.size - _END.size - 0xFFFF))
    if found < 0 or found + _END.size > file.size:
        raise _corrupt(file, "the directory that ends a zip file is not there")
    count, size, position = _END.unpack_from(file.map, found)[4:7]
    locator = found - _LOCATOR_64.size
    if locator >= 0 and file.map[locator : locator + 4] == b"PK\6\7":
        wide = _LOCATOR_64.unpack_from(file.map, locator)[2]
        if wide + _END_64.size > file.size or file.map[wide : wide + 4] != b"PK\6\6":
            raise _corrupt(file, "the 64-bit end of its directory is not where it should be")
        count, size, position = _END_64.unpack_from(file.map, wide)[7:10]
    if count > MAX_MEMBERS or size > MAX_MEMBERS * 256 or position + size > found:
        raise _corrupt(file, f"its directory has {count:,} members in {size:,} bytes from byte {position:,}")
    return position, size, count


def _wide(extra: bytes, values: list[int]) -> list[int]:
    """Replace the values that did not fit in 32 bits by those of the 64-bit extra field."""
    if _MISSING not in values:
        return values
    at = 0
    while at + 4 <= len(extra):
        identifier, length = struct.unpack_from("<2H", extra, at)
        if identifier == 1:
            field = extra[at + 4 : at + 4 + length]
            wide = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
            return [next(wide, _MISSING) if value == _MISSING else value for value in values]
        at += 4 + length
    return values


def _locate(file: MappedFile, name: str, local: int, size: int) -> tuple[int, int]:
    """Where a member's bytes are, after its local header."""
    if local + _LOCAL.size > file.size or file.map[local : local + 4] != b"PK\3\4":
        raise _corrupt(file, f"the member {shown(name)} is not at byte {local:,}")
    name_length, extra_length = _LOCAL.unpack_from(file.map, local)[9:11]
    start = local + _LOCAL.size + name_length + extra_length
    if start + size > file.size:
        raise _corrupt(file, f"the member {shown(name)} ends at byte {start + size:,}, the file at {file.size:,}")
    return start, start + size


def _check_apart(file: MappedFile, members: dict[str, tuple[int, int]]) -> None:
    spans = sorted((start, stop, name) for name, (start, stop) in members.items())
    for (_, stop, name), (start, _, other) in pairwise(spans):
        if start < stop:
            raise _corrupt(file, f"the members {shown(name)} and {shown(other)} overlap")
