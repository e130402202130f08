"""GPT-2's alphabet, in which byte-level vocabularies spell bytes."""


def byte_level_bytes(text: str) -> bytes:
    """Bytes of a token in GPT-2's alphabet; a character outside it stands for its own UTF-8 bytes."""
    try:
        return bytes([BYTE_OF[character] for character in text])
    except KeyError:
        return text.encode()


def byte_level_text(text: str) -> str:
    """A text's UTF-8 bytes in GPT-2's alphabet."""
    return text.encode().decode("latin-1").translate(_CHARACTER_OF)


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's printable character for each byte (Radford et al. 2019, `bytes_to_unicode` of their code)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(printable)]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


BYTE_OF = _byte_alphabet()
_CHARACTER_OF = {byte: ord(character) for character, byte in BYTE_OF.items()}
