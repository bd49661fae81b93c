"""Telegram: the preview pages of a public channel, as t.me shows them to whoever has no account.

Twenty messages a page, the oldest first; `?before=ID` brings those before; a page that has older ones links to them. The name
under a message is its signature. There is no document of this markup: see `collectors.spiders.telegram` for who reads it too.
"""

from __future__ import annotations

from html import escape

from pipelines.pilot.records import Message, Served, instant
from pipelines.pilot.wire import Answer, Query, html_answer, whole_number

PER_PAGE = 20
NOTHING = (
    '<div class="tgme_widget_message_wrap"><div class="tgme_widget_message_centered">'
    '<div class="tme_no_messages_found">No posts found</div></div></div>'
)


class TelegramSite:
    """Answers for one channel, whose name is the source's path."""

    def __init__(self, served: Served) -> None:
        """Order the messages by their numbers once."""
        self.site = served.site
        self.channel = self.site.path.strip("/")
        self.messages = sorted(served.messages, key=lambda message: int(message.id))

    def answer(self, path: str, query: Query) -> Answer | None:
        """Answer a page of the preview, or the page that invites into the channel."""
        if path == f"/{self.channel}":
            title = f'<div class="tgme_page_title"><span>{escape(self.site.title)}</span></div>'
            return html_answer(f'<html><body><div class="tgme_page">{title}</div></body></html>')
        if path.rstrip("/") != f"/s/{self.channel}":
            return None
        before = whole_number(query, "before", 0)
        older = [message for message in self.messages if not before or int(message.id) < before]
        shown = older[-PER_PAGE:]
        first = shown[0].id if len(older) > len(shown) else None
        head = f'<link rel="prev" href="/s/{self.channel}?before={first}">' if first else ""
        more = f'<a href="/s/{self.channel}?before={first}" class="tme_messages_more js-messages_more" data-before="{first}"></a>'
        body = "".join(map(self._message, shown)) or NOTHING
        history = f'<section class="tgme_channel_history js-message_history">{more if first else ""}{body}</section>'
        return html_answer(
            f"<!DOCTYPE html>\n<html><head>{head}<title>{escape(self.site.title)}</title></head>\n<body>{history}</body></html>\n"
        )

    def _message(self, message: Message) -> str:
        link, moment = f"https://t.me/{self.channel}", instant(message.published or "")
        text = escape(message.text, quote=False).replace("\n", "<br/>")
        signed = f'<span class="tgme_widget_message_from_author" dir="auto">{escape(message.author)}</span>&nbsp;'
        return (
            f'<div class="tgme_widget_message_wrap js-widget_message_wrap">\n<div class="tgme_widget_message '
            f'text_not_supported_wrap js-widget_message" data-post="{self.channel}/{message.id}">'
            f'<div class="tgme_widget_message_bubble">\n<div class="tgme_widget_message_author accent_color">'
            f'<a class="tgme_widget_message_owner_name" href="{link}">{escape(self.site.title)}</a></div>\n'
            f'{self._answered(message)}<div class="tgme_widget_message_text js-message_text" dir="auto">{text}</div>\n'
            f'{_reactions(message)}<div class="tgme_widget_message_footer"><span class="tgme_widget_message_meta">'
            f'{signed if message.author else ""}<a class="tgme_widget_message_date" href="{link}/{message.id}">'
            f'<time datetime="{moment.isoformat()}" class="time">{moment:%H:%M}</time></a></span></div>\n</div></div></div>\n'
        )

    def _answered(self, message: Message) -> str:
        if message.parent is None:
            return ""
        return f'<a class="tgme_widget_message_reply" href="https://t.me/{self.channel}/{message.parent}"></a>\n'


def _reactions(message: Message) -> str:
    if not message.reactions:
        return ""
    counted = f'<span class="tgme_reaction"><i class="emoji"><b>👍</b></i>{message.reactions}</span>'
    return f'<div class="tgme_widget_message_reactions js-message_reactions">{counted}</div>\n'
