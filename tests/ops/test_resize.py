"""Changing the size of images: rounding, run-time sizes, what lies where, wrong uses."""

import pytest
import torch
import torch.nn.functional as F

from archc.ops.base import BadAttributes, ShapeError, bind
from archc.ops.python import plain_text
from archc.ops.resize import CropLike, Pad, PadLike, PixelShuffle, PixelUnshuffle, Resize, Upsample
from archc.shapes import Tensor, evaluate, recording, symbol

B, H, W, N = (symbol(name) for name in "BHWN")
X = Tensor((B, 8, H, W))


@pytest.mark.parametrize("scale", [2, 3, 1.0, 0.5, 1.5, 0.1, 1 / 3, 2.7, 0.75, 1.1])
def test_scales_round_as_torch_does(scale):
    with recording():
        size = Upsample(scale=scale).shape(X).shape[2]
    for n in range(12, 80):
        expected = F.interpolate(torch.zeros(1, 1, n, device="meta"), scale_factor=scale).shape[-1]
        assert evaluate(size, {"H": n, "W": n}) == expected
        assert Upsample(scale=scale).shape(Tensor((1, 1, n))).shape[2] == expected


def test_a_whole_scale_is_exact():
    with recording() as facts:
        assert Upsample(scale=2).shape(X).shape == (B, 8, 2 * H, 2 * W)
        assert Upsample(scale=0.5).shape(X).shape == (B, 8, H // 2, W // 2)
    assert [str(f) for f in facts] == ["H >= 2", "W >= 2"]


def test_sizes_of_the_running_model():
    op = Resize(size=(H // 2, 7), mode="bilinear", align_corners=True)
    assert op.shape(Tensor((B, 8, N, N))) == Tensor((B, 8, H // 2, 7))
    text = 'F.interpolate(x, size=((H // 2), 7), mode="bilinear", align_corners=True)'
    assert plain_text(op.call("x")) == text
    assert plain_text(Pad(pads=(0, 8 - W % 8)).call("x")) == f"F.pad(x, (0, ({8 - W % 8})))"


def test_shuffling_there_and_back():
    with recording() as facts:
        small = PixelUnshuffle(r=2).shape(X)
        assert small == Tensor((B, 32, H // 2, W // 2))
        assert PixelShuffle(r=2).shape(Tensor((B, 32, H, W))) == Tensor((B, 8, 2 * H, 2 * W))
    assert [str(f) for f in facts] == ["H % 2 == 0", "W % 2 == 0"]


@pytest.mark.parametrize(("n", "m"), [(3, 3), (3, 6), (4, 7), (3, 5), (1, 4)])
def test_pad_like_and_crop_like_are_centred(apply, n, m):
    small, large = torch.arange(1.0, n + 1)[None, None], torch.arange(1.0, m + 1)[None, None]
    padded = apply(PadLike(), small, large)[0, 0].tolist()
    before = (m - n) // 2
    assert padded == [0] * before + list(range(1, n + 1)) + [0] * (m - n - before)
    cropped = apply(CropLike(), large, small)[0, 0].tolist()
    assert cropped == list(range(before + 1, before + 1 + n))


def test_pad_like_of_several_axes(apply):
    x, like = torch.randn(2, 3, 2, 5), torch.zeros(1, 1, 4, 6)
    padded = apply(PadLike(), x, like)
    assert padded.shape == (2, 3, 4, 6)
    torch.testing.assert_close(apply(CropLike(), padded, x), x)


def test_the_halves_of_a_net_meet():
    with recording() as facts:
        out = PadLike().shape(Tensor((B, 8, 2 * (H // 2), 4)), Tensor((B, 4, H, 4)))
    assert out == Tensor((B, 8, H, 4)) and facts == []


@pytest.mark.parametrize(
    ("operator", "attributes", "argument", "words"),
    [
        (Upsample, {"scale": 0}, "scale", "must be greater than 0"),
        (Upsample, {"scale": 2, "mode": "cubic"}, "mode", "must be nearest, nearest-exact, linear"),
        (Upsample, {"scale": 2, "align_corners": True}, "align_corners", "not for nearest"),
        (Resize, {"size": ()}, "size", "must not be empty"),
        (PixelShuffle, {"r": 0}, "r", "must be at least 1"),
        (Pad, {"pads": (1,)}, "pads", "must have two numbers an axis"),
        (Pad, {"pads": 1}, "pads", "must be a list, not 1"),
        (Pad, {"pads": (-1, 0), "mode": "reflect"}, "pads", "must not be negative for reflect"),
        (Pad, {"pads": (1, 0), "mode": "reflect", "value": 1}, "value", "has no meaning for reflect"),
    ],
)
def test_refuses_attributes(operator, attributes, argument, words):
    with pytest.raises(BadAttributes, match=words) as bad:
        bind(operator, (), attributes)
    assert [p.argument for p in bad.value.problems] == [argument]


@pytest.mark.parametrize(
    ("op", "types", "words"),
    [
        (Upsample(scale=2, mode="linear"), [X], "`linear` takes 3 axes, and `x` has 4"),
        (Upsample(scale=(2, 2, 2)), [X], "`scale` has 3 numbers, and `x` has 2 axes"),
        (Upsample(scale=0.1), [Tensor((1, 1, 4))], "the scale leaves nothing of a size of 4"),
        (Upsample(scale=2), [Tensor((1, 1, 4), "int64")], "must be floating point"),
        (Resize(size=(1, 2, 3)), [X], "`size` has 3 numbers, and `x` has 2 axes"),
        (PixelShuffle(r=3), [X], "the 8 channels of `x` must be divisible by r \\* r = 9"),
        (PixelUnshuffle(r=2), [Tensor((8, 5, 4))], "must be divisible by 2"),
        (Pad(pads=(-5, 0)), [Tensor((2, 4))], "cut off more than the 4 there are"),
        (Pad(pads=(0, 1) * 3), [Tensor((2, 4))], "`pads` are for 3 axes, and `x` has 2"),
        (Pad(pads=(4, 0), mode="reflect"), [Tensor((1, 2, 4))], "reflect padding of 4 needs a larger axis"),
        (Pad(pads=(1, 1), mode="reflect"), [X], "reflect padding of 1 axes takes a batch of images"),
        (PadLike(), [Tensor((1, 1, 5)), Tensor((1, 1, 4))], "`x` is larger than `like`: 5 and 4"),
        (CropLike(), [Tensor((1, 1, 4)), Tensor((1, 1, 5))], "`x` is smaller than `like`: 4 and 5"),
        (CropLike(), [Tensor((1, 1, 4)), Tensor((1, 4))], "`like` must have 3 axes"),
    ],
)
def test_refuses(op, types, words):
    with recording(), pytest.raises(ShapeError, match=words):
        op.shape(*types)
