"""Personal data out of texts, authors to keyed pseudonyms; before any write.

What goes, and what stays for its sake, is written out in `tests/collectors/redaction_cases.yml`, with how much is found:
`python benchmarks/redaction.py` prints it. What is not found:

- A name that nothing announces, unless a given name and a surname of the lists stand together: a lone name ("Rosa opina"), a
  surname alone ("Quispe no paga"), rare or misspelt names in small letters, names written with marks between the letters. Of
  names that no list has, those built as Andean surnames or with the endings of given names are known (`shapes`).
- A name behind "en", or behind "la" if it is a man's, is taken for a street; one behind a word for a place (mercado, colegio,
  comedor) for what the place is called. So the person of "el mercado de Juan Pérez" stays.
- Who is told by what they do or where they live ("la del quiosco verde", "el gordo de la esquina"), and nicknames.
- Numbers in words by tens and hundreds ("novecientos ochenta"; digit by digit they are found), or split over lines; seven digits
  of a fixed line without a word for a telephone before them; plates in small letters without a word for a vehicle.
- A street number without a word for the street or for living there ("Bolívar 145"), unless the street is called after plants,
  birds or stones ("Los Cedros 145"); what looks like a year (Av. Lima 2021).
- What pictures, sounds and the pages behind links hold.
"""

from __future__ import annotations

from collectors.redaction.manifestations import redact_manifestation
from collectors.redaction.texts import redact

__all__ = ["redact", "redact_manifestation"]
