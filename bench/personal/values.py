"""Values of personal data, and of what only looks like it, by Faker or by generators written from the public specifications.

Runs in the toolchain.
No pattern and no validator of brewslm is used here: check digits are computed anew, numbers follow the countries' plans.
"""

import base64
import hashlib
import json
import random
import string
from collections.abc import Callable

from faker import Faker

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT")
DIGITS = string.digits
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
MONTHS = {
    "en_US": "January February March April May June July August September October November December",
    "de_DE": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr_FR": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es_ES": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it_IT": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
}
AREA_CODES = {"en_US": ["212", "213", "303", "305", "312", "404", "415", "503", "512", "602", "617", "702", "713", "808", "916"]}


class Values:
    """One value per slot, in the manner of a locale."""

    def __init__(self, locale: str, seed: str) -> None:
        self.locale, self.random = locale, random.Random(seed)
        self.faker = Faker(locale)
        self.faker.seed_instance(seed)

    def fill(self, slot: str) -> str:
        """A new value for a slot of carriers.yaml."""
        made: Callable[[], str] = getattr(self, slot)
        return made()

    def some(self, alphabet: str, count: int) -> str:
        """So many signs of an alphabet."""
        return "".join(self.random.choice(alphabet) for _ in range(count))

    def digits(self, shape: str) -> str:
        """`shape` with each # as a digit and each % as one from 2 to 9."""
        return "".join(self.some(DIGITS, 1) if one == "#" else self.some("23456789", 1) if one == "%" else one for one in shape)

    def one_of(self, *options: str) -> str:
        """One of them."""
        return self.random.choice(options)

    # --- fillers

    def f_name(self) -> str:
        """A person's name."""
        return self.faker.name()

    def f_stamp(self) -> str:
        """A time as logs write it."""
        return self.faker.date_time_this_decade().strftime(
            self.one_of("%Y-%m-%dT%H:%M:%SZ", "%d/%b/%Y:%H:%M:%S", "%Y-%m-%d %H:%M:%S")
        )

    # --- personal data

    def email(self) -> str:
        """An e-mail address."""
        return self.one_of(self.faker.email(), self.faker.company_email(), self.faker.free_email().replace("@", "+x1@"))

    def phone(self) -> str:
        """By the countries' plans, or Faker's, which does not always keep to them."""
        return self.faker.phone_number() if self.random.random() < 0.3 else self.phone_shaped()

    def phone_shaped(self) -> str:
        """As people write it in a column or a chat: with a country code, brackets or groups."""
        return self.digits(getattr(self, f"_phone_{self.locale[-2:].lower()}")())

    def _phone_us(self) -> str:
        area, rest = self.random.choice(AREA_CODES["en_US"]), "%##"
        return self.one_of(
            f"({area}) {rest}-####", f"{area}-{rest}-####", f"{area}.{rest}.####", f"+1 {area} {rest} ####", f"+1{area}{rest}####"
        )

    def _phone_gb(self) -> str:
        return self.one_of(
            "020 7### ####", "+44 20 7### ####", "(0121) 4## ####", "07911 1#####", "+447911 1#####", "0161 4## ####"
        )

    def _phone_de(self) -> str:
        return self.one_of(
            "030 %######", "+49 89 %######", "0171 %######", "+49 (0)40 %######", "089/%######", "0049 171 %######"
        )

    def _phone_fr(self) -> str:
        return self.one_of("06 %# ## ## ##", "01.4%.##.##.##", "+33 6 %# ## ## ##", "04%#######", "+33 (0)1 4% ## ## ##")

    def _phone_es(self) -> str:
        return self.one_of("612 ### ###", "91 5## ## ##", "+34 612 ## ## ##", "+34 93 4## ## ##", "654 ## ## ##")

    def _phone_it(self) -> str:
        return self.one_of("+39 347 %######", "347 %######", "06 4%######", "+39 02 8%######")

    def card(self) -> str:
        """A payment card's number, in groups or not."""
        number = self.faker.credit_card_number(self.one_of("visa16", "mastercard", "amex", "discover", "diners", "jcb16"))
        groups = [number[:4], number[4:10], number[10:]] if len(number) < 16 else [number[i : i + 4] for i in range(0, 16, 4)]
        return self.one_of("", " ", "-").join(groups)

    def iban(self) -> str:
        """An IBAN, in groups or not."""
        made: str = self.faker.iban()
        return " ".join(made[i : i + 4] for i in range(0, len(made), 4)) if self.random.random() < 0.5 else made

    def ip(self) -> str:
        """An address of IPv4 or IPv6."""
        return self.one_of(
            self.faker.ipv4_public(), self.faker.ipv4_private(), self.faker.ipv6(), f"2001:db8::{self.some('123456789abcdef', 3)}"
        )

    def mac(self) -> str:
        """A network card's address."""
        made = self.faker.mac_address()
        return self.one_of(made, made.upper().replace(":", "-"), made.upper())

    def ssn(self) -> str:
        """A social security number."""
        return self.faker.ssn()

    def national_id(self) -> str:
        """The number that the country gives each person."""
        country = self.locale[-2:]
        made = {"GB": self._nino, "DE": self._steuer_id, "FR": self._nir, "ES": self._dni, "IT": self.faker.ssn}[country]
        return made()

    def _nino(self) -> str:
        """HMRC's manual, NIM39110. Faker's all begin with ZZ, which is never given out."""
        prefix = "GB"
        while prefix in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"):
            prefix = self.some("ABCEGHJKLMNOPRSTWXYZ", 1) + self.some("ABCEGHJKLMNPRSTWXYZ", 1)
        made = [prefix, *(self.some(DIGITS, 2) for _ in range(3)), self.some("ABCD", 1)]
        return self.one_of("", " ").join(made)

    def _dni(self) -> str:
        return self.one_of(self.faker.nif(), self.faker.nie())

    def _nir(self) -> str:
        made: str = self.faker.ssn()
        spaced = f"{made[0]} {made[1:3]} {made[3:5]} {made[5:7]} {made[7:10]} {made[10:13]} {made[13:]}"
        return self.one_of(made, spaced)

    def _steuer_id(self) -> str:
        """§ 139b AO: ten digits of which one comes twice and one not at all, none first zero; ISO 7064 MOD 11,10."""
        while True:
            kept = self.random.sample(DIGITS, 9)
            body = [*kept, self.random.choice(kept)]
            self.random.shuffle(body)
            if body[0] != "0":
                break
        product = 10
        for one in body:
            total = (int(one) + product) % 10 or 10
            product = (total * 2) % 11
        made = "".join(body) + str((11 - product) % 10)
        return self.one_of(made, f"{made[:2]} {made[2:5]} {made[5:8]} {made[8:]}")

    def tax_id(self) -> str:
        """VAT numbers whose check digits are computed here (Germany, France, Spain as a person's, Britain)."""
        return {"DE": self._vat_de, "FR": self._vat_fr, "ES": lambda: "ES" + self.faker.nif(), "GB": self._vat_gb}[
            self.locale[-2:]
        ]()

    def _vat_de(self) -> str:
        body = self.digits("%#######")
        product = 10
        for one in body:
            total = (int(one) + product) % 10 or 10
            product = (total * 2) % 11
        return f"DE{body}{(11 - product) % 10}"

    def _vat_fr(self) -> str:
        siren = with_luhn(self.digits("%#######"))
        return f"FR{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"

    def _vat_gb(self) -> str:
        """The scheme before 2010: the weighted sum and the two check digits make a multiple of 97."""
        body = self.digits("%######")
        check = -sum(int(one) * weight for one, weight in zip(body, range(8, 1, -1), strict=True)) % 97
        made = f"{body}{check:02d}"
        return self.one_of(f"GB{made}", f"GB {made[:3]} {made[3:7]} {made[7:]}")

    def crypto(self) -> str:
        """An address of Bitcoin or Ethereum."""
        return self.one_of(self._base58(b"\x00"), self._base58(b"\x05"), self._bech32(), "0x" + self.some("0123456789abcdef", 40))

    def _base58(self, version: bytes) -> str:
        body = version + self.random.randbytes(20)
        number = int.from_bytes(whole := body + hashlib.sha256(hashlib.sha256(body).digest()).digest()[:4])
        made = ""
        while number:
            number, rest = divmod(number, 58)
            made = BASE58[rest] + made
        return "1" * (len(whole) - len(whole.lstrip(b"\0"))) + made

    def _bech32(self) -> str:
        """BIP 173, witness version 0, 20 bytes."""
        data = [0, *(self.random.randrange(32) for _ in range(32))]
        check = bech32_polymod([3, 3, 0, 2, 3, *data, 0, 0, 0, 0, 0, 0]) ^ 1
        return "bc1" + "".join(BECH32[one] for one in data + [(check >> 5 * (5 - i)) & 31 for i in range(6)])

    def secret_key(self) -> str:
        """A key as well-known services write theirs."""
        word = string.ascii_letters + DIGITS
        return self.one_of(
            "AKIA" + self.some(string.ascii_uppercase + "234567", 16), "ghp_" + self.some(word, 36),
            "glpat-" + self.some(word, 20),
            f"xoxb-{self.digits('%###########')}-{self.digits('%###########')}-{self.some(word, 24)}",
            "sk_live_" + self.some(word, 24),
            "sk-proj-" + self.some(word, 48), "AIza" + self.some(word + "-_", 35),
        )  # fmt: skip

    def secret_jwt(self) -> str:
        """A JSON web token."""
        parts = [json.dumps({"alg": "HS256", "typ": "JWT"}), json.dumps({"sub": self.some(DIGITS, 8), "iat": 1700000000})]
        head = ".".join(base64.urlsafe_b64encode(one.encode()).decode().rstrip("=") for one in parts)
        return f"{head}.{self.some(string.ascii_letters + DIGITS + '-_', 43)}"

    def secret_password(self) -> str:
        """A password."""
        return self.faker.password(length=self.random.randrange(10, 18), special_chars=False)

    def url_credentials(self) -> str:
        """An address with a user and a password in it."""
        scheme = self.one_of("https", "postgresql", "ftp", "amqp", "redis")
        port = self.one_of("", ":5432", ":8443")
        user = f"{self.faker.user_name()}:{self.some(string.ascii_letters + DIGITS, 12)}"
        return f"{scheme}://{user}@{self.faker.domain_name()}{port}/{self.faker.word()}"

    def date_of_birth(self) -> str:
        """A date of birth, in words or digits."""
        born = self.faker.date_of_birth(minimum_age=18, maximum_age=90)
        language = self.locale if self.locale in MONTHS else "en_US"
        month = MONTHS[language].split()[born.month - 1]
        day = {
            "de_DE": f"{born.day}. {month} {born.year}",
            "es_ES": f"{born.day} de {month} de {born.year}",
            "en_US": f"{month} {born.day}, {born.year}",
        }
        written = day.get(self.locale, f"{born.day} {month} {born.year}")
        numeric = {"en_US": "%m/%d/%Y", "de_DE": "%d.%m.%Y"}.get(self.locale, "%d/%m/%Y")
        return self.one_of(written, born.strftime(numeric), born.isoformat())

    def passport(self) -> str:
        """Shapes as the countries print them."""
        capital = string.ascii_uppercase
        return {
            "US": lambda: self.one_of(self.digits("%########"), self.some(capital, 1) + self.digits("########")),
            "GB": lambda: self.digits("%########"),
            "DE": lambda: self.one_of("C", "F", "G", "H") + self.some("CFGHJKLMNPRTVWXYZ0123456789", 3) + self.digits("0####"),
            "FR": lambda: self.digits("##") + self.some(capital, 2) + self.digits("#####"),
            "ES": lambda: self.some(capital, 3) + self.digits("######"),
            "IT": lambda: self.some(capital, 2) + self.digits("#######"),
        }[self.locale[-2:]]()  # fmt: skip

    # --- decoys

    def x_order(self) -> str:
        """An order's number."""
        return self.digits(
            self.one_of("1########", "4#########", "ORD-######", "#8######", "2024-######", "1##########", "R%###-#####")
        )

    def x_ticket(self) -> str:
        """A ticket's number."""
        return self.digits(self.one_of("INC00#####", "#%####", "SUP-####", "CASE-2023-####", "AZ 12/####-B"))

    def x_version(self) -> str:
        """A version of a program."""
        return self.digits(self.one_of("%.#.1", "1%.#.#-rc1", "0.#.%", "20#%.1"))

    def x_version4(self) -> str:
        """A version of four parts, which looks like an address."""
        return self.digits("1%#.0.%##.1%")

    def x_isbn(self) -> str:
        """A book's number."""
        body = self.digits("9783#%######")
        check = -sum(int(one) * (3 if place % 2 else 1) for place, one in enumerate(body)) % 10
        return self.one_of(f"{body}{check}", f"978-3-{body[4:8]}-{body[8:12]}-{check}", self.digits("0-306-%####-#"))

    def x_ean(self) -> str:
        """An article's bar code."""
        body = self.digits("40%#########")
        return f"{body}{-sum(int(one) * (3 if place % 2 else 1) for place, one in enumerate(body)) % 10}"

    def x_date(self) -> str:
        """A date that is nobody's birth."""
        return self.faker.date_this_decade().strftime(self.one_of("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%y"))

    def x_time(self) -> str:
        """A time of day."""
        return self.digits(self.one_of("1#:3#", "0%:15", "1#:2#:4#"))

    def x_price(self) -> str:
        """A price."""
        return self.digits(
            self.one_of("$%##.##", "1.2##,## €", "%##,## €", "£%,###.00", "EUR %####", "1 %## ###,## €", "USD 1,2##,###.##")
        )

    def x_sku(self) -> str:
        """An article's number in a shop."""
        return self.digits(self.one_of("AB-####-X", "SKU%#####", "XK##-%###", "B0%HQ#L#T", "WH-1000XM%", "%#-##-%##-A"))

    def x_hash(self) -> str:
        """A hash in hexadecimal digits."""
        return self.some("0123456789abcdef", self.random.choice((7, 32, 40, 64)))

    def x_uuid(self) -> str:
        """A UUID."""
        return self.faker.uuid4()

    def x_coordinates(self) -> str:
        """A place on the globe."""
        return self.digits("4%.####, -1#.####")

    def x_epoch(self) -> str:
        """Seconds or milliseconds since 1970."""
        return self.digits(self.one_of("16########", "17###########"))

    def x_millis(self) -> str:
        """How long something took."""
        return self.digits(self.one_of("%##", "%.###", "1%###"))

    def x_small(self) -> str:
        """A number of two digits."""
        return self.digits("%#")

    def x_big(self) -> str:
        """A large number, grouped or not."""
        return self.digits(self.one_of("%,###,###", "%.###.###", "%####", "% ### ###"))

    def x_fingerprint(self) -> str:
        """A key's fingerprint, which looks like a network address."""
        return "MD5:" + ":".join(self.some("0123456789abcdef", 2) for _ in range(16))

    def x_bad_card(self) -> str:
        """A card's number whose check digit is wrong."""
        number = with_luhn(self.digits("4##############"))
        wrong = number[:-1] + str((int(number[-1]) + self.random.randrange(1, 10)) % 10)
        return self.one_of(wrong, " ".join(wrong[i : i + 4] for i in range(0, 16, 4)))

    def x_bad_iban(self) -> str:
        """An IBAN whose check digits are wrong."""
        made = self.iban()
        return made[:2] + f"{(int(made[2:4]) + self.random.randrange(1, 90)) % 97:02d}" + made[4:]


def with_luhn(body: str) -> str:
    """The digits and their check digit (ISO/IEC 7812-1, annex B)."""
    doubled = [int(one) * (2 if place % 2 == 0 else 1) for place, one in enumerate(reversed(body))]
    return f"{body}{-sum(one // 10 + one % 10 for one in doubled) % 10}"


def bech32_polymod(values: list[int]) -> int:
    """BIP 173's checksum."""
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> place) & 1 else 0
    return check
