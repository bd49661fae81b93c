"""What is read of the topics and posts of a Discourse forum, and how many people reacted to a post."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

LIKE = 2
"""Number of the action "like" in `actions_summary`."""


class TopicRow(BaseModel):
    """What is read of a topic in a list."""

    id: int
    created_at: str | None = None
    last_posted_at: str | None = None
    bumped_at: str | None = None
    pinned: bool | None = None


class PostRow(BaseModel):
    """What is read of a post."""

    id: int
    post_number: int
    post_type: int = 1
    username: str | None = None
    user_id: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    version: int | None = None
    cooked: str | None = None
    reply_to_post_number: int | None = None
    hidden: bool | None = None
    user_deleted: bool | None = None
    deleted_at: str | None = None
    actions_summary: list[Any] | None = None
    reactions: list[Any] | None = None
    reaction_users_count: int | None = None


def count_reactions(post: PostRow) -> int | None:
    """Return how many people reacted to a post: by the plugin for reactions, or else by the likes; None if neither is shown."""
    if post.reaction_users_count is not None:
        return post.reaction_users_count
    if post.reactions:
        return sum(_count_of(reaction) for reaction in post.reactions)
    if post.actions_summary is None:
        return None
    return sum(_count_of(action) for action in post.actions_summary if isinstance(action, dict) and action.get("id") == LIKE)


def _count_of(shown: Any) -> int:
    count = shown.get("count") if isinstance(shown, dict) else None
    return count if isinstance(count, int) and count > 0 else 0
