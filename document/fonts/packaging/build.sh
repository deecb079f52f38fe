#!/bin/sh
# Rebuilds the embedded faces (../data/*.ttf.gz) from their sources. Nobody needs this to build yinxin: the results are
# committed. Wants npm, apt-get (for `apt-get download`), dpkg-deb, and fontTools for the python named by PYTHON.
# Every source is checked against its digest in sources.sha256 before it is used; see ../SOURCES.md.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
npm pack --silent @expo-google-fonts/noto-serif-sc@0.4.3 @expo-google-fonts/noto-sans-sc@0.4.3
apt-get download -qq fonts-lxgw-wenkai=1.250+repack-1
tar xzf expo-google-fonts-noto-serif-sc-0.4.3.tgz --strip-components=1 \
    package/400Regular/NotoSerifSC_400Regular.ttf package/900Black/NotoSerifSC_900Black.ttf
tar xzf expo-google-fonts-noto-sans-sc-0.4.3.tgz --strip-components=1 package/500Medium/NotoSansSC_500Medium.ttf
dpkg-deb --fsys-tarfile fonts-lxgw-wenkai_*.deb |
    tar x --strip-components=6 ./usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf
sha256sum -c "$here/sources.sha256"

out=${1:-$here/../data}
cut() { "$python" "$here/subset.py" "$@"; }
cut 900Black/NotoSerifSC_900Black.ttf "Yinxin Biaosong" official "$out/biaosong.ttf.gz"
cut 500Medium/NotoSansSC_500Medium.ttf "Yinxin Hei" official "$out/hei.ttf.gz"
cut LXGWWenKai-Regular.ttf "Yinxin Kai" official "$out/kai.ttf.gz"
cut 400Regular/NotoSerifSC_400Regular.ttf "Yinxin Song" official "$out/song.ttf.gz"
(cd "$out" && sha256sum *.ttf.gz >sha256sums)
