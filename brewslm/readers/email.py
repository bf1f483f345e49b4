"""E-mail: the subject as heading, then what was written. Attachments are counted, not read."""

from email import policy
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser

from brewslm.readers.base import Reader, ReadText, counted, plain
from brewslm.readers.html import HtmlReader, page_text
from brewslm.readers.text import decoded


class EmailReader(Reader):
    """One message (RFC 5322, MIME). Sender, receivers and date are no part of the text: they are about people."""

    media_type = "message/rfc822"
    libraries = HtmlReader.libraries
    suffixes = (".eml",)
    meaning = "The subject as heading and the plain text, or the HTML where there is no other; attachments are counted, not read."

    def text_of(self, content: bytes) -> ReadText:
        """Subject and body.

        Raises:
            Unreadable(BAD_ENCODING): The body is in no encoding that is known.
        """
        message = BytesParser(policy=policy.default).parsebytes(content)
        assert isinstance(message, EmailMessage)
        subject = " ".join(plain(str(message["subject"] or "")).split())
        body = _body(message)
        text = "\n\n".join(part for part in (f"# {subject}" if subject else "", body.text.strip("\n")) if part)
        attachments = sum(1 for _ in message.iter_attachments()) if message.is_multipart() else 0
        notes = body.notes | counted(attachments=attachments)
        return ReadText(text, markdown=True, notes=notes)


def _body(message: EmailMessage) -> ReadText:
    """The plain text, else the HTML, of the message itself."""
    for kind in ("plain", "html"):
        part = message.get_body(preferencelist=(kind,))
        if part is not None and (found := _part_text(part, kind)).text.strip():
            return found
    return ReadText("")


def _part_text(part: MIMEPart, kind: str) -> ReadText:
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    charset = part.get_content_charset()
    if kind == "html":
        return page_text(decoded(payload, charset)) if charset else HtmlReader().text_of(payload)
    text = plain(decoded(payload, charset))
    if part.get_param("format") == "flowed":
        text = _unflowed(text, drop_space=part.get_param("delsp") == "yes")
    return ReadText(text, notes=counted(undecodable_characters=text.count("\ufffd")))


def _unflowed(text: str, *, drop_space: bool) -> str:
    """Lines put together that a mail program had broken: such a line ends in a space (RFC 3676); "-- " begins a signature."""
    out = ""
    for line in text.split("\n"):
        goes_on = line.endswith(" ") and line != "-- " and not line.startswith(">")
        out += (line[:-1] if drop_space else line) if goes_on else line + "\n"
    return out
