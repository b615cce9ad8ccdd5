"""Frames go through text and come back pixel by pixel; damaged text is told from frames."""

import base64

import cv2
import numpy as np
import pytest

from perma_agent.errors import FrameError
from perma_agent.evaluation.report.tiles import tiles_from_text, tiles_to_text

DAMAGED = "expected a PNG in base64, got damaged or other text; write it again with tiles_to_text"


@pytest.mark.parametrize("channels", [1, 3])
def test_frames_come_back_as_they_were(channels):
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, channels, 5, 7), dtype=np.uint8)
    text = tiles_to_text(frames)
    back = tiles_from_text(text, rows=2, columns=3)
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, frames)
    assert text == tiles_to_text(frames)
    assert text.isascii()
    assert "\n" not in text


def test_the_text_is_a_picture_that_others_read_in_rows_and_in_rgb():
    frames = np.zeros((2, 2, 3, 4, 4), dtype=np.uint8)
    frames[1, 0, 0] = 200  # red, second row, first column
    sheet = cv2.imdecode(np.frombuffer(base64.b64decode(tiles_to_text(frames)), np.uint8), cv2.IMREAD_COLOR)
    assert sheet.shape == (8, 8, 3)
    assert (sheet[4:, :4] == (0, 0, 200)).all()  # cv2's order is BGR
    assert not sheet[:4].any()
    assert not sheet[:, 4:].any()


def sentence(error) -> str:
    return str(error.value)


def test_what_are_no_frames_is_refused():
    with pytest.raises(FrameError) as error:
        tiles_to_text(np.zeros((2, 3, 1, 4, 4)))
    assert sentence(error) == (
        "expected uint8 frames [..., C, H, W] with 5 axes and 1 or 3 channels, got dtype float64; "
        "pass the level's own 0-255 pixels, not normalised ones"
    )
    with pytest.raises(FrameError) as error:
        tiles_to_text(np.zeros((0, 3, 1, 4, 4), dtype=np.uint8))
    assert sentence(error) == "expected frames of shape [R, K, C, H, W] and none of these 0, got (0, 3, 1, 4, 4)"


@pytest.mark.parametrize(("rows", "columns"), [(3, 3), (2, 5), (0, 3)])
def test_a_sheet_is_cut_only_where_it_can_be(rows, columns):
    text = tiles_to_text(np.zeros((2, 3, 1, 4, 4), dtype=np.uint8))
    with pytest.raises(FrameError) as error:
        tiles_from_text(text, rows=rows, columns=columns)
    assert sentence(error) == (
        f"expected a sheet of {rows} rows and {columns} columns of frames, got one of 8 x 12 pixels; "
        "pass the numbers that it was made with"
    )


def test_damaged_text_is_told():
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 3, 64, 64), dtype=np.uint8)
    whole = base64.b64decode(tiles_to_text(frames))
    flipped = bytearray(whole)
    flipped[len(flipped) // 2] ^= 0xFF
    _, photograph = cv2.imencode(".jpg", np.zeros((32, 48), dtype=np.uint8))
    parts = (b"", photograph.tobytes(), whole[: len(whole) // 2], whole[:200] + whole[-12:], bytes(flipped))
    for text in ("no base64!", "äöü", *(base64.b64encode(part).decode() for part in parts)):
        with pytest.raises(FrameError) as error:
            tiles_from_text(text, rows=2, columns=3)
        assert sentence(error) == DAMAGED


def test_other_pictures_are_no_frames():
    _, deep = cv2.imencode(".png", np.zeros((4, 4), dtype=np.uint16))
    _, see_through = cv2.imencode(".png", np.zeros((4, 4, 4), dtype=np.uint8))
    for encoded, said in ((deep, "got dtype uint16"), (see_through, "got shape (4, 4, 4)")):
        with pytest.raises(FrameError) as error:
            tiles_from_text(base64.b64encode(encoded.tobytes()).decode(), rows=1, columns=1)
        assert said in sentence(error)
