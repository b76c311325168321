"""The names of WordprocessingML's elements, as lxml spells them."""

from __future__ import annotations

from lxml import etree

Element = etree._Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W14 = "{http://schemas.microsoft.com/office/word/2010/wordml}"
W15 = "{http://schemas.microsoft.com/office/word/2012/wordml}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"

P, TBL, TR, TC, SDT = W + "p", W + "tbl", W + "tr", W + "tc", W + "sdt"
SDT_PR, SDT_CONTENT, VAL, TXBX = W + "sdtPr", W + "sdtContent", W + "val", W + "txbxContent"
TC_PR, TR_PR, PAR_PR, PAR_STYLE, DELETED = W + "tcPr", W + "trPr", W + "pPr", W + "pStyle", W + "del"
RUN, RUN_PR, ALTERNATE = W + "r", W + "rPr", MC + "AlternateContent"
