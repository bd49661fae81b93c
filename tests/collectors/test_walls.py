"""Pages that stand in the place of what was asked for, and pages that only look a little like them."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.walls import recognise_wall

LONG = "La obra de la avenida sigue parada y los vecinos piden una fecha. " * 40


def page(body: str, *, title: str = "Portal vecinal") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"


WALLS = {
    "captcha": [
        page("<div class='cf-turnstile'></div>Verifica que eres humano", title="Un momento…"),
        page("<noscript>Activa JavaScript para continuar</noscript><script src='/cdn-cgi/challenge-platform/h/b.js'></script>"),
        page("<script>run()</script><p>Please enable JavaScript to view this site.</p>"),
        page("<form id='challenge-form'></form><p>Checking: are you a robot?</p>", title="Just a moment..."),
        page("<p>Marque «No soy un robot»</p><div class='g-recaptcha'></div>"),
    ],
    "login_wall": [
        page("<form><label>Usuario<input name=u></label><input type=password><button>Iniciar sesión</button></form>"),
        page("<h1>Log in</h1><form><input type='password' name='p'></form><p>Forgot your password?</p>"),
    ],
    "consent_wall": [
        page("<h1>Tu privacidad</h1><p>Usamos cookies.</p><button>Aceptar todo</button><button>Rechazar</button>"),
        page("<form action='https://consent.medio.test/save'><p>Antes de continuar: cookies</p></form>"),
    ],
    "soft_404": [
        page("<h1>Lo sentimos</h1>" + "<p>Visite otras secciones del portal.</p>" * 10, title="Página no encontrada"),
        page("<h1>Error 404</h1><p>El enlace cambió o ya no existe.</p>", title="Municipio"),
        page("<p>La página que buscas no existe.</p>"),
    ],
}

NO_WALLS = [
    "",
    "   ",
    page(LONG),
    page(f"<p>{LONG}</p><footer>Usamos cookies <button>Aceptar</button></footer>"),
    page(f"<p>{LONG}</p><form><input type=password>Iniciar sesión</form>"),
    page(f"<p>{LONG}</p><script src='https://hcaptcha.com/1/api.js'></script><p>captcha</p>", title="Contacto"),
    page("<article>El semáforo de la esquina no funciona desde el lunes.</article>"),
    page("<article>Me pidieron resolver un captcha para pagar el arbitrio, qué vergüenza.</article>"),
    page("<article>Quise iniciar sesión en la mesa de partes y me pidió otra contraseña.</article>"),
    page("<p>Repartieron galletas: cookies de avena para todos, acepto la receta.</p>"),
    page("<h1>Foro vecinal</h1><p>Todavía no hay temas en este foro.</p>"),
    page(f"<p>{LONG[:700]}</p><form><input type=password>Ingresar</form>"),
]


@pytest.mark.parametrize(("kind", "number"), [(kind, number) for kind, pages in WALLS.items() for number in range(len(pages))])
def test_a_wall_is_called_by_its_name(kind: str, number: int) -> None:
    assert recognise_wall(WALLS[kind][number]) == kind


@pytest.mark.parametrize("number", range(len(NO_WALLS)))
def test_a_page_with_something_to_read_is_no_wall(number: int) -> None:
    assert recognise_wall(NO_WALLS[number]) is None


def test_a_crawl_names_the_wall_and_never_what_people_say_of_walls(lab: Any) -> None:
    comment = "<li class='comment' id='c1'><cite class='fn'>Rosa</cite><time datetime='2021-04-05T10:00:00-05:00'></time>"
    comment += "<div class='comment-content'>Un captcha y luego: página no encontrada. Activen JavaScript, dicen.</div></li>"
    index = page("<article><h2><a href='/nota'>Nota</a></h2></article>").encode()
    note = page(f"<ol>{comment}</ol><script></script>", title="Nota").encode()

    def front_of(answer: bytes) -> Any:
        def site(path: str, query: Any) -> Any:
            return lab.Reply(answer) if path in ("/", "/wp-json/wp/v2/comments", "/wp-json/wp/v2/posts") else None

        return site

    lab.web.sites |= {f"{kind.replace('_', '-')}.test": front_of(pages[0].encode()) for kind, pages in WALLS.items()}
    lab.web.sites["abierto.test"] = lambda path, _: lab.Reply(index if path == "/" else note) if path in ("/", "/nota") else None
    options = {"markup": "comment_list"}
    sources = [
        lab.source(kind.replace("_", "-"), "page", f"http://{kind.replace('_', '-')}.test/", options=options) for kind in WALLS
    ]
    sources.append(lab.source("abierto", "page", "http://abierto.test/", options=options))
    sources.append(lab.source("api", "wordpress", "http://captcha.test/"))
    crawled = lab.crawl(sources)
    for kind in WALLS:
        assert crawled.outcome(kind.replace("_", "-")) == ("failed", kind)
    assert crawled.outcome("api") == ("failed", "captcha")
    assert crawled.outcome("abierto") == ("ok", "none")
    assert len(crawled.people("abierto")) == 1
