"""Cuts one typeface down to the characters that official documents use, and renames it.

usage: subset.py SOURCE.ttf FAMILY CHARSET OUT.ttf.gz

CHARSET is "official" (GB 2312, ASCII, punctuation, and the characters of names-extra.txt) or "latin" (ASCII and dashes).
The same source gives the same bytes: no time, no path and no version of this machine enters the file. A subset of an OFL
font is a modified version, so it bears a name of its own (the licences reserve the original ones).
"""

import gzip
import io
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables._n_a_m_e import makeName

# Characters outside GB 2312 that official documents, their numbers and their amounts need.
EXTRA = "〔〕〇—–‘’“”…·•※★☆●○■□▲△№℃‰℉§©®™×÷±≈≠≤≥∞→←↑↓√∑①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳￥¥€£ 　﹏﹣－～"


def gb2312():
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield bytes((row, cell)).decode("gb2312")
            except UnicodeDecodeError:
                pass


def charset(name, here):
    chars = {chr(c) for c in range(0x20, 0x7F)} | set("–—―‐·")
    if name == "latin":
        return chars
    chars |= set(gb2312()) | set(EXTRA) | {chr(c) for c in range(0xA0, 0x100)}
    extra = (here / "names-extra.txt").read_text(encoding="utf-8")
    chars |= {c for line in extra.splitlines() if not line.startswith("#") for c in line if not c.isspace()}
    return chars


def rename(font, family):
    """Keeps the authors' copyright line, as the licence asks, and puts every other name in place of the original."""
    names = font["name"]
    copyright = names.getDebugName(0).replace("\r\n", "; ") + "; subset and renamed for yinxin"
    names.names = [
        makeName(text, ident, 3, 1, 0x409)
        for ident, text in (
            (0, copyright),
            (1, family),
            (2, "Regular"),
            (3, family.replace(" ", "") + ";1"),
            (4, family),
            (5, "Version 1.000"),
            (6, family.replace(" ", "")),
            (13, "This Font Software is licensed under the SIL Open Font License, Version 1.1."),
            (14, "https://scripts.sil.org/OFL"),
        )
    ]


def main(source, family, chars, out):
    here = pathlib.Path(__file__).resolve().parent
    font = TTFont(source, recalcTimestamp=False, recalcBBoxes=False)
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.glyph_names = False
    options.notdef_outline = True
    options.recalc_bounds = False
    options.recalc_timestamp = False
    options.legacy_cmap = False
    options.name_IDs = ["*"]
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG", "STAT", "gasp", "meta", "FFTM", "MVAR", "HVAR", "avar"]
    sub = subset.Subsetter(options)
    wanted = sorted(charset(chars, here))
    sub.populate(text="".join(wanted))
    sub.subset(font)
    rename(font, family)
    have = set(font.getBestCmap())
    missing = [c for c in wanted if ord(c) not in have]
    raw = io.BytesIO()
    font.save(raw, reorderTables=True)
    with open(out, "wb") as f:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=9, mtime=0, fileobj=f) as z:
            z.write(raw.getvalue())
    size = pathlib.Path(out).stat().st_size
    print(f"{family}: {len(have)} characters, {len(raw.getvalue())} bytes, {size} compressed, lacks {''.join(missing)}")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
