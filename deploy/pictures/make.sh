#!/usr/bin/env bash
# The README's pictures, made afresh from what `make demo` left: needs LibreOffice, Chromium and poppler-utils.
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

soffice --headless "-env:UserInstallation=file://$work/office" --convert-to pdf --outdir "$work" \
    "demo/Need to Know.xlsx" >/dev/null

page_of() { # FOOTER: the first page that is printed under it
    for page in $(seq "$(pdfinfo "$work/Need to Know.pdf" | sed -n 's/^Pages: *//p')"); do
        if pdftotext -f "$page" -l "$page" "$work/Need to Know.pdf" - | grep -q "^$1 · "; then
            echo "$page"
            return
        fi
    done
}
sheet() { # NAME RESOLUTION X Y WIDTH HEIGHT FOOTER
    page=$(page_of "$7")
    pdftoppm -png -r "$2" -f "$page" -l "$page" -x "$3" -y "$4" -W "$5" -H "$6" -singlefile \
        "$work/Need to Know.pdf" "deploy/pictures/$1"
}
sheet register 110 30 70 1680 870 "Need to Know register"
sheet questions 110 30 50 1680 420 "Questions"
sheet summary 150 40 80 1680 1000 "Summary"

shoot() { # FILE NAME HEIGHT
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --disable-background-networking \
        --disable-component-update --disable-sync "--user-data-dir=$work/browser" \
        --window-size="760,$3" --screenshot="deploy/pictures/$2.png" "file://$PWD/$1" >/dev/null 2>&1
}
shoot "$(ls demo/letters/*-chase.html | head -1)" chase 1080
shoot "$(ls demo/letters/*-weekly_digest.html | tail -1)" digest 1080
