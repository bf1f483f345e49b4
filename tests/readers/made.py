"""Real documents, made on the spot."""

import io
import zipfile
from collections.abc import Callable
from email.message import EmailMessage

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def pdf(*pages: str) -> bytes:
    """A PDF with these lines of text, page by page; a page of "" has none."""
    count = len(pages)
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(count))
    objects = ["<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>"]
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    for number, text in enumerate(pages):
        lines = " T* ".join(f"({line}) Tj" for line in text.split("\n"))
        content = f"BT /F1 12 Tf 14 TL 72 720 Td {lines} ET" if text else ""
        box = "/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
        objects.append(f"<</Type/Page/Parent 2 0 R{box}/Contents {5 + 2 * number} 0 R>>")
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream")
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj{body}endobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    trailer = f"trailer<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    return out + f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}{trailer}".encode()


def locked_pdf(user_password: str) -> bytes:
    """A PDF that its owner has locked, and for whoever opens it too unless the user's password is ""."""
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(pdf("Behind the lock")))
    writer.encrypt(user_password, "the owner's", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx(fill: Callable[[object], None]) -> bytes:
    """A Word document, filled with python-docx."""
    from docx import Document

    document, out = Document(), io.BytesIO()
    fill(document)
    document.save(out)
    return out.getvalue()


def docx_of_xml(body: str, before: str = "") -> bytes:
    """A Word document whose body is this XML, perhaps with something before its root."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx(lambda _: None))) as original, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name in original.namelist():
            xml = f"{before}<w:document {WORD}><w:body>{body}</w:body></w:document>".encode()
            made.writestr(name, xml if name == "word/document.xml" else original.read(name))
    return out.getvalue()


def paragraph(text: str) -> str:
    """The XML of a paragraph."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def mail(body: str, html: str = "", attachment: bytes = b"", charset: str = "utf-8", subject: str = "Käse") -> bytes:
    """A message as mail programs write it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ana@example.org", "bo@example.org", subject
    message["Date"], message["Message-ID"] = "Mon, 06 Jan 2025 10:00:00 +0000", "<1@example.org>"
    if body:
        message.set_content(body, charset=charset, cte="quoted-printable")
    if html:
        (message.add_alternative if body else message.set_content)(html, subtype="html")
    if attachment:
        message.add_attachment(attachment, maintype="application", subtype="pdf", filename="a.pdf")
    return bytes(message)
