"""The header of a stream of frames, as MediaPipe's framework/formats/video_stream_header.h has it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What holds for a whole video; `duration` is in seconds, `frame_rate` in frames a second."""

    format: int = 0
    width: int = 0
    height: int = 0
    duration: float = 0.0
    frame_rate: float = 0.0
