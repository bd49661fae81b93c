"""Pages that a site shows in the place of what was asked for, with status 200: consent, login, a challenge, "not found" (pure).

The rule is that such a page is little more than the wall itself: a short text with the words of a wall, and its form or its
script. A page with anything to read is none, so that a message that speaks of cookies or passwords never makes one.
Facts from schema and vendors' documents: the marks of challenges are those of Cloudflare (developers.cloudflare.com: challenges,
Turnstile), hCaptcha (docs.hcaptcha.com) and reCAPTCHA (developers.google.com/recaptcha). Nothing is ever done to pass one.
"""

from __future__ import annotations

import re
from typing import Literal

from parsel import Selector

from collectors.text import plain_letters

Wall = Literal["captcha", "login_wall", "consent_wall", "soft_404"]

MOST_CHARACTERS = 1_500
"""A page that shows more text than this has something to read."""

MOST_SOFT_404 = 600
"""The same for a page whose title does not say that nothing was found."""

MOST_BESIDE_FORM = 400
"""A page that shows more text than this beside its login form has the form as a mere box."""

_CHALLENGE_MARKS = (
    "script[src*='/cdn-cgi/challenge-platform/'], script[src*='challenges.cloudflare.com'], [class~=cf-turnstile], "
    "[class~=g-recaptcha], [class~=h-captcha], script[src*='hcaptcha.com'], script[src*='/recaptcha/'], form[id=challenge-form]"
)
_CHALLENGE_WORDS = re.compile(
    r"\b(just a moment|un momento|verifying you are human|verifi(que|ca|car|quemos) que (usted )?(es|eres) (un )?humano"
    r"|(are you|eres|es usted) (a |un )?(robot|human[oa]?)|no (soy|eres) un robot|not a robot|captcha"
    r"|(enable|activ[ae]r?|habilit[ae]r?) (el )?javascript|javascript (is )?(disabled|required)"
    r"|unusual traffic|trafico inusual)\b"
)
_LOGIN_WORDS = re.compile(
    r"\b(inici[ae]r? sesion|log ?in|sign in|acceder|ingres[ae]r?|identifi(car|ca|que)(se|te)|contrasena|password)\b"
)
_CONSENT_WORDS = re.compile(r"\b(cookies?|consent(imiento)?|privacidad|privacy|rgpd|gdpr)\b")
_CONSENT_ACTS = re.compile(r"\b(acept(ar|o|a)|accept|agree|consent(ir)?|de acuerdo|rechazar|reject)\b")
_CONSENT_HOSTS = "form[action*='consent'], iframe[src*='consent'], form[action*='cookie']"
_NOT_FOUND = re.compile(
    r"\b(404|no (se )?(ha )?(encontr(ado|ada|amos|o)|encuentra)|not found|no existe|ya no (existe|esta disponible)"
    r"|page (does not|doesn t) exist)\b"
)


def recognise_wall(markup: str) -> Wall | None:
    """Return what kind of wall a page is; None if it is none that is known, or has something to read.

    Args:
        markup: the page, decoded.
    """
    if not markup.strip():
        return None
    page = Selector(text=markup, type="html", huge_tree=False)
    shown = _words(
        " ".join(page.xpath("//body//text()[not(ancestor::script or ancestor::style or ancestor::template)]").getall())
    )
    title = _words(page.css("title::text").get(""))
    if len(shown) > MOST_CHARACTERS:
        return None
    both = f"{title} {shown}"
    if _CHALLENGE_WORDS.search(both) and (page.css(_CHALLENGE_MARKS) or _only_script(page, shown)):
        return "captcha"
    beside = _words(" ".join(page.xpath("//body//text()[not(ancestor::form or ancestor::script or ancestor::style)]").getall()))
    if page.css("form input[type=password]") and len(beside) <= MOST_BESIDE_FORM and _LOGIN_WORDS.search(both):
        return "login_wall"
    if _CONSENT_WORDS.search(both) and (page.css(_CONSENT_HOSTS) or (page.css("button, form") and _CONSENT_ACTS.search(shown))):
        return "consent_wall"
    if _NOT_FOUND.search(title) or (len(shown) <= MOST_SOFT_404 and _NOT_FOUND.search(shown[:200])):
        return "soft_404"
    return None


def _only_script(page: Selector, shown: str) -> bool:
    """Tell whether a page asks for a script and shows next to nothing without it."""
    return bool(page.css("noscript, script")) and len(shown) <= MOST_SOFT_404


def _words(text: str) -> str:
    """Return a text in small letters without accents and punctuation."""
    return " ".join(re.findall(r"\w+", plain_letters(text)))
