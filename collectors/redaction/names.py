"""Names of private persons: behind a word that announces one, or where a given name and a surname stand together."""

from __future__ import annotations

import re
from collections.abc import Iterator

from collectors.redaction.announcing import (
    ABBREVIATIONS,
    ANNOUNCED,
    BEHIND_ABBREVIATION,
    BEHIND_COLON,
    BEHIND_CUE,
    BEHIND_WEAK,
    GREETINGS,
    SURE,
    UNSURE,
)
from collectors.redaction.found import Found
from collectors.redaction.lexicon import (
    ADJECTIVE,
    ANNOUNCING,
    CUE,
    EVERYDAY,
    GIVEN,
    MARK,
    NAME,
    NOT_NAME,
    OFFICE,
    PARTICLE,
    PLACE,
    SAINT,
    STOP,
    STREET,
    SURNAME,
    WEAK_CUE,
    load_lexicon,
)
from collectors.redaction.offices import is_place, is_public
from collectors.redaction.tokens import Tokens

_MOST_WORDS = 6
_NO_PERSON = STOP | NOT_NAME | PLACE | OFFICE | SAINT | STREET | CUE | WEAK_CUE | ANNOUNCING | PARTICLE
_MONTHS = frozenset({"abril", "julio"})
_MONTH_BEFORE = re.compile(r"(?:\d|\b(?:de|en|del|desde|hasta|este|para|fin|mediados|y|a|el))\s{1,2}$")
_WOMEN = (
    "carmen pilar isabel raquel mercedes milagros consuelo rosario rocio ines lourdes iris doris gladys luz flor maribel marisol "
    "soledad trinidad karen evelyn carol mabel nicole irene marlene janet yanet jazmin yasmin miriam mirian esther ester belen "
    "socorro amparo remedios nieves rosmery ivonne ivon dolores angeles leonor abigail rut noe margot yoselin jhoselyn"
)
_WOMEN_WITHOUT_A = frozenset(_WOMEN.split())
_ARTICLES = frozenset({"de", "del", "la", "las", "los", "el"})
_INITIALS = re.compile(r"(?<![^\W_])(?:[A-ZÑ]\.[ \t]?){1,2}$")
_LIST = re.compile(r",\s|\s[ye]\s(?:(?:don|dona|la|el)\s)?|,\s[ye]\s")
_LIST_WORDS = frozenset({"y", "e", "don", "dona", "la", "el"})


def find_names(tokens: Tokens) -> Iterator[Found]:
    """Yield the names, in order and apart."""
    done = end = 0
    for place in tokens.telling:
        if place < done:
            continue
        for first, last, stays in _runs_from(tokens, place):
            done = last + 1
            if not stays and (first < last or tokens.word(first) != MARK):
                start = tokens.spans[first][0]
                initials = _INITIALS.search(tokens.text, max(end, start - 8), start)
                end = tokens.spans[last][1]
                yield Found(initials.start() if initials else start, end, MARK)


def _runs_from(tokens: Tokens, place: int) -> Iterator[tuple[int, int, bool]]:
    """Yield (first, last, whether it stays) of the name that a word announces, with those listed behind it, or begins."""
    flags = tokens.flags[place]
    first = _announced(tokens, place) if flags & (CUE | WEAK_CUE | ANNOUNCING) else None
    if first is None:
        run = _bare_run(tokens, place) if flags & NAME and not flags & (PLACE | OFFICE | SAINT | STREET) else None
        if run is not None:
            yield run
            yield from _listed_behind(tokens, *run)
        return
    last = _extend(tokens, first, announced=True)
    bare = first == last and tokens.words[first] == MARK
    stays = (
        bare
        or is_public(tokens, place if flags & CUE else first, last)
        or (tokens.is_title(place) and (is_place(tokens, place) or _is_called(tokens, place, last)))
    )
    yield first, last, stays
    while (following := _listed(tokens, last)) is not None:
        last = _extend(tokens, following, announced=True)
        yield following, last, stays


def _listed_behind(tokens: Tokens, first: int, last: int, stays: bool) -> Iterator[tuple[int, int, bool]]:
    """Yield the names of two words at least that are listed behind one that nothing announces."""
    while first < last and not stays and (following := _listed(tokens, last)) is not None:
        first, last = following, _extend(tokens, following, announced=True)
        if first < last:
            yield first, last, is_public(tokens, first, last)


def _announced(tokens: Tokens, place: int) -> int | None:
    """Return the place of the first word of the name that the word at a place announces; None if none follows."""
    flags, word = tokens.flags[place], tokens.word(place)
    start, end = tokens.spans[place]
    if flags & ANNOUNCING:
        before, behind = ANNOUNCED[word]
        if not before.search(tokens.folded[max(0, start - 4) : start]):
            return None
    else:
        if word == "papa" and place > 0 and tokens.word(place - 1) == "el":
            return None  # of Rome
        behind = BEHIND_ABBREVIATION if word in ABBREVIATIONS else BEHIND_CUE if flags & CUE else BEHIND_WEAK
    match = behind.match(tokens.folded, end)
    colon = BEHIND_COLON.match(tokens.folded, end) if match is None and flags & CUE else None
    match = match or colon
    if flags & CUE and tokens.folded.startswith(" de ", end):
        # "La mamá de Thiago": only what can be nothing but a given name.
        first = place + 2
        alone = tokens.is_title(first) and tokens.flags[first] & (GIVEN | EVERYDAY) == GIVEN if first < len(tokens) else False
        return first if alone and not tokens.flags[first] & (PLACE | OFFICE) else None
    first = place + 1
    while match is not None and first < len(tokens) and tokens.spans[first][0] < match.end():
        first += 1
    if match is None or first >= len(tokens) or tokens.spans[first][0] != match.end():
        return None
    # Programs and machines are called something too.
    strong = bool(flags & (CUE | ANNOUNCING)) and word not in UNSURE and colon is None
    if _may_be_name(tokens, first, strong=strong, sure=word in SURE):
        return first
    person = flags & WEAK_CUE and word not in GREETINGS and (place == 0 or not tokens.is_title(place))
    return first if person and _are_two_capitals(tokens, first) else None


def _are_two_capitals(tokens: Tokens, first: int) -> bool:
    """Tell whether two words begin with capitals that no list knows ("el dirigente Alipio Condorhuanca")."""
    if first + 1 >= len(tokens) or not tokens.joined(first):
        return False
    return all(tokens.is_title(place) and not tokens.flags[place] & ~SURNAME for place in (first, first + 1))


def _may_be_name(tokens: Tokens, place: int, *, strong: bool, sure: bool = False) -> bool:
    """Tell whether a word may begin a name; behind a strong cue one that the lists do not know, with a capital letter, may."""
    flags, title = tokens.flags[place], tokens.is_title(place)
    if flags & (PLACE | OFFICE | SAINT | PARTICLE):
        return False
    if flags & NAME:
        if title or not flags & EVERYDAY:
            return True
        return strong and not flags & ADJECTIVE
    if flags & _NO_PERSON:
        return False
    return sure or (title and (strong or (_is_surname(tokens, place) and tokens.is_title(place + 1))))


def _listed(tokens: Tokens, last: int) -> int | None:
    """Return the place of the next given name of a list; None at its end."""
    match = _LIST.match(tokens.folded, tokens.spans[last][1])
    if match is None:
        return None
    first = last + 1
    while first < len(tokens) and tokens.spans[first][0] < match.end() and tokens.word(first) in _LIST_WORDS:
        first += 1
    if first >= len(tokens) or tokens.spans[first][0] != match.end():
        return None
    flags = tokens.flags[first]
    known = flags & GIVEN and not flags & (EVERYDAY | PLACE | OFFICE)
    return first if known or (flags & GIVEN and tokens.is_title(first) and not flags & (PLACE | OFFICE)) else None


def _extend(tokens: Tokens, first: int, *, announced: bool) -> int:
    """Return the place of the last word of the name that begins at a place."""
    last, title = first, tokens.is_title(first)
    # What a first reading left behind a mark is taken at once, lest each further reading take a part of it.
    marked = tokens.words[first] == MARK
    unknown = not marked and title and (announced or not tokens.flags[first] & EVERYDAY)
    while marked or last - first < _MOST_WORDS - 1:
        following = _next_word(tokens, last)
        if following is None or tokens.words[following] == MARK:
            break
        flags, capital = tokens.flags[following], tokens.is_title(following)
        through = following > last + 1
        if flags & NAME and not flags & (PLACE | OFFICE | SAINT):
            # Behind "de la" a surname; an everyday word only if it is written as the first word is.
            if through and not flags & SURNAME and tokens.word(following) not in ("carmen", "pilar", "rosario", "angeles"):
                break
            if through and flags & EVERYDAY and following == last + 2 and tokens.word(last + 1) == "de":
                break
            if flags & EVERYDAY and (
                title != capital or (not capital and flags & ADJECTIVE and not _is_surname(tokens, following))
            ):
                break
        elif (
            tokens.text[tokens.spans[following][1] - 1].isupper()
            and following == last + 1 > first + 1
            and tokens.length(following) == 1
        ):
            pass  # the initial of a second surname
        elif through or not (unknown and capital) or flags & _NO_PERSON or flags & NAME:
            break
        last = following
    return last


def _is_surname(tokens: Tokens, place: int) -> bool:
    """Tell whether a word that is a surname and nothing else follows the one at a place."""
    behind = place + 1
    return behind < len(tokens) and tokens.joined(place) and tokens.flags[behind] & (SURNAME | EVERYDAY) == SURNAME


def _next_word(tokens: Tokens, last: int) -> int | None:
    """Return the place of the next word of a name, behind an initial or "de la" too; None if no blank joins them."""
    following = last + 1
    if following >= len(tokens) or not tokens.joined(last):
        return None
    start, end = tokens.spans[following]
    if end - start == 1 and tokens.text[start].isupper():
        if following + 1 < len(tokens) and tokens.gap(following) in (".", ". ", " ") and tokens.flags[following + 1] & NAME:
            return following + 1
        return following if tokens.text[end : end + 1] == "." else None
    if tokens.word(following) == "vda" and tokens.gap(following) in (" ", ". ") and following + 2 < len(tokens):
        following += 1
    for _ in range(2):
        if tokens.flags[following] & PARTICLE and tokens.joined(following):
            following += 1
    return following


def _bare_run(tokens: Tokens, place: int) -> tuple[int, int, bool] | None:
    """Return (first, last, whether it stays) of words of names that nothing announces; None if none begins here.

    It takes a given name and a surname to make a name of them, one of which at least is no everyday word.
    """
    if tokens.word(place) in _MONTHS and _MONTH_BEFORE.search(tokens.folded[: tokens.spans[place][0]][-12:]):
        return None
    last = _extend(tokens, place, announced=False)
    if last == place:
        return None
    flags = [tokens.flags[at] for at in range(place, last + 1) if tokens.flags[at] & NAME]
    given = any(flag & GIVEN for flag in flags)
    surnames = sum(flag & SURNAME != 0 for flag in flags)
    strong = [flag for flag in flags if not flag & EVERYDAY]
    title, first = tokens.is_title(place), flags[0]
    if not given and surnames > 1 and strong and (behind := _given_behind_comma(tokens, last)) is not None:
        last, given = behind, True
    whole = given and surnames and len(flags) > 1
    unknown = title and first & (GIVEN | EVERYDAY) == GIVEN and len(flags) < last - place + 1
    if not whole and not unknown:
        # Nor can a part of them be a name; the last of as many as are looked at may begin one.
        return place, last - (last - place == _MOST_WORDS - 1), True
    if whole and not unknown and not strong and not (title and first & GIVEN):
        return None
    before = tokens.word(place - 1) if place > 0 and tokens.joined(place - 1) else ""
    # "Las Flores María": what an article stands before is a thing or a place, unless a surname that is nothing else follows.
    if before in _ARTICLES and first & EVERYDAY and not any(flag & SURNAME for flag in strong):
        return None
    # "En Jaime Zubieta" is a street, "la Jaime Zubieta" an avenue.
    named = before == "en" or (before == "la" and _is_masculine(tokens.word(place)))
    return place, last, named or _is_called(tokens, place, last) or is_place(tokens, place) or is_public(tokens, place, last)


def _is_masculine(name: str) -> bool:
    return not name.endswith(("a", "i", "y", "z", "th", "]")) and name not in _WOMEN_WITHOUT_A


def _given_behind_comma(tokens: Tokens, last: int) -> int | None:
    """Return the last place of "Quispe Mamani, Juan Carlos"; None if no given name stands behind a comma."""
    first = last + 1
    if tokens.gap(last) != ", " or first >= len(tokens):
        return None
    flags = tokens.flags[first]
    if not flags & GIVEN or flags & (EVERYDAY | PLACE | OFFICE):
        return None
    return _extend(tokens, first, announced=False)


def _is_called(tokens: Tokens, first: int, last: int) -> bool:
    """Tell whether words are, or begin with, a name of those that streets, schools and brands bear."""
    words = [tokens.word(at) for at in range(first, last + 1)]
    public = load_lexicon().public
    return any(" ".join(words[:length]) in public for length in range(2, len(words) + 1))
