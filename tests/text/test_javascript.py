"""The JavaScript tokenizer gives the words of Python's, in Node; pages are tested in a browser."""

from __future__ import annotations

import json
import shutil
import subprocess
import unicodedata
from pathlib import Path
from random import Random

import pytest

from fixtures.awkward_texts import variations
from sentir.config import CLEAN_STEPS, CleanStep
from sentir.text.javascript import clean_steps, tokenizer_rules, tokenizer_script, words
from sentir.text.tokenizer import WordTokenizer

#: Parts of texts that cleaning and the rules of words look at.
ATOMS = (
    "a b A É ñ e\u0301 x.com a.es a.Es b.İnfo .co.uk www. http:// HTTPſ:// ftp:// @ /path ?q . .. "
    "... … , : ; ! ? ' '' \" ` `` “ ” ‘ ’ ´ - -- — ( ) [ ] < > { } <url> <br> <lİ> &amp; &amp "
    "&notit; &constructor; &#65; &#x41; &#128; &#0; &#1; &#xD800; &#99999999999999; &Eacute &nbsp; "
    "\\n \\top \\\" can't cannot cannot. CANNOT gonna gİmme d'ye more'n 'tis 's 'ſ n't 'll i'd've "
    "mr. e.g. U.S. J. ½. Ⅷ. 3 ٣ 3,5 10:30 10/10 mp3 ² 😀 🇪🇸 🇪 ❤\ufe0f \u200d \x00 \x92 "
    "\x81 中 。 한 \u3164 \u2800 İ ΑΣ ſ \u212a _ \ue057 \ufffd \uffff"
).split(" ")
SPACES = (" ", "  ", "\t", "\n", "\x85", "\xa0", "\u2009", "\x1c", "<p\xa0/>")


def texts() -> list[str]:
    random = Random(0)
    atoms = [*ATOMS, *SPACES, "x" * 99, "a" + "\u0301" * 120]
    made = ["".join(random.choices(atoms, k=random.randint(1, 8))) for _ in range(6000)]
    made += [f"&#{code};&#x{code:x}y" for code in (*range(0x300), *range(0xFD00, 0x10010))]
    # Every sign of the scripts that both sides know, in places where it matters.
    signs = filter(
        lambda sign: unicodedata.category(sign) not in ("Cn", "Cs"), map(chr, range(0x3100))
    )
    made += [f"a{sign}b x{sign}. '{sign} www.{sign}.com 3,{sign}" for sign in signs]
    return [*made, *variations("en"), *variations("es")]


@pytest.mark.parametrize("last", ["numbers", "digits"])  # as now, and as older models have it
def test_words_are_pythons(tmp_path: Path, last: CleanStep) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node here")
    tokenizer = WordTokenizer(["good", "can", "'s"], (*CLEAN_STEPS[:-1], last))
    given = {
        "rules": tokenizer_rules(),
        "clean": clean_steps(tokenizer),
        "words": words(tokenizer),
        "texts": texts(),
    }
    (tmp_path / "given.json").write_text(json.dumps(given), "utf-8")
    script = tmp_path / "tokens.cjs"
    script.write_text(
        f"""{tokenizer_script()}
        const {{ readFileSync }} = require("fs");
        const given = JSON.parse(readFileSync(process.argv[2], "utf-8"));
        const tokenizer = new Tokenizer(given.rules, given.clean, given.words);
        const read = (text) => {{
          const tokens = tokenizer.tokens(text);
          return [tokens, tokens.map((word) => tokenizer.id(word))];
        }};
        process.stdout.write(JSON.stringify(given.texts.map(read)));
        """,
        "utf-8",
    )
    done = subprocess.run(
        [node, script, tmp_path / "given.json"], capture_output=True, check=True, encoding="utf-8"
    )
    for text, (tokens, ids) in zip(given["texts"], json.loads(done.stdout), strict=True):
        assert tokens == tokenizer.tokens(text), ascii(text)
        assert ids == tokenizer.encode([text])[0], ascii(text)


@pytest.mark.parametrize(
    "steps", [[], ["lower"], ["html", "digits"], ["numbers"], ["numbers", "digits"]]
)
def test_steps_are_in_their_order(steps: list[CleanStep]) -> None:
    tokenizer = WordTokenizer(["good"], list(reversed(steps)))
    assert clean_steps(tokenizer) == steps
    assert words(tokenizer) == ["good"]
