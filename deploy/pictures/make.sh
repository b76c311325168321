#!/usr/bin/env bash
# The README's pictures, made afresh from what `make demo` left: needs LibreOffice, Chromium and poppler-utils.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

soffice --headless "-env:UserInstallation=file://$work/office" --convert-to pdf --outdir "$work" \
    "demo/Need to Know.xlsx" >/dev/null
pdftoppm -png -r 110 -f 1 -l 1 -x 30 -y 70 -W 1680 -H 870 -singlefile \
    "$work/Need to Know.pdf" deploy/pictures/register

shoot() { # FILE NAME HEIGHT
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --disable-background-networking \
        --disable-component-update --disable-sync "--user-data-dir=$work/browser" \
        --window-size="760,$3" --screenshot="deploy/pictures/$2.png" "file://$PWD/$1" >/dev/null 2>&1
}
shoot "$(ls demo/letters/*-chase.html | head -1)" chase 1080
shoot "$(ls demo/letters/*-weekly_digest.html | tail -1)" digest 1080
