"""Doors: by which platform, address and options an address that somebody names could be listened to; bytes -> candidates."""

from __future__ import annotations

from collectors.doors.model import Door, Look, Rank, plain
from collectors.doors.services import NoDoor, door_of_service

__all__ = ["Door", "Look", "NoDoor", "Rank", "door_of_service", "plain"]
