#!/bin/sh
# Puts FandolFang, the free 仿宋, into a fonts folder: fandol.sh FOLDER. It is under the GPL with an exception for documents
# that embed it, which a program that carries it would not be; so nobody ships it with yinxin, and whoever wants it takes
# it from Debian with this. Wants apt-get (for `apt-get download`), dpkg-deb, and fontTools for the python named by PYTHON.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:?the fonts folder}
python=${PYTHON:-/usr/bin/python3}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
apt-get download -qq texlive-lang-chinese=2022.20230122-1
echo "9cfa07bd44e7b9098e26f0ecac1b5ad210d2249d474c8074d53de92d650b0ec0  $(echo texlive-lang-chinese_*.deb)" | sha256sum -c --quiet
dpkg-deb --fsys-tarfile texlive-lang-chinese_*.deb | tar x --wildcards \
    ./usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/FandolFang-Regular.otf \
    './usr/share/doc/texlive-doc/fonts/fandol/*'
"$python" "$here/outlines.py" usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/FandolFang-Regular.otf "$folder/FandolFang-Regular.ttf"
gzip -dc usr/share/doc/texlive-doc/fonts/fandol/COPYING.gz >"$folder/FandolFang-COPYING.txt"
cp usr/share/doc/texlive-doc/fonts/fandol/README "$folder/FandolFang-README.txt"
echo "FandolFang lies in $folder; use it with --fonts $folder or YINXIN_FONTS"
