"""Places the boxes of a network in layers, each region in a frame of its own; pure.

Layout packages from PyPI draw layers, too, but an access switch with forty end devices makes them as wide
as forty boxes. Here boxes without others below them stand in a block under the one they hang from, and
blocks that are too wide for one row go into several.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pdsno_cli.render.network import Network

WIDTH, HEIGHT = 132, 34  # of a box, in pixels
_GAP, _LAYER = 12, 58  # between boxes; from one layer to the next
_PAD, _HEAD = 18, 30  # of a region's frame; its title
_RATIO = 2.4  # of a block's width to its height
_ROW = 1000  # pixels up to which blocks stand in one row

# Boxes of these kinds are nearest to the top, in this order.
_ROOTS = ("router", "firewall", "switch", "wlan controller", "load balancer")


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle in pixels: the left upper corner, the width and the height."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The places of boxes, in their order, and of regions by name."""

    boxes: tuple[Place, ...]
    regions: dict[str, Place]
    width: float
    height: float


@dataclass(slots=True)
class _Block:
    """A box with all that hangs from it: places relative to the block's left upper corner."""

    width: float
    height: float
    places: dict[int, tuple[float, float]]


def layout(network: Network) -> Layout:
    """Return the places of all boxes and regions of a network."""
    regions: dict[str, list[int]] = {}
    for number, box in enumerate(network.boxes):
        regions.setdefault(box.region, []).append(number)
    near = _neighbours(network)
    frames = {
        name: _framed(_region(network, members, near)) for name, members in sorted(regions.items())
    }
    corners, width, height = _shelves(list(frames.values()), gap=2 * _PAD)
    boxes: dict[int, Place] = {}
    places: dict[str, Place] = {}
    for (name, block), (x, y) in zip(frames.items(), corners, strict=True):
        places[name] = Place(x, y, block.width, block.height)
        for number, (dx, dy) in block.places.items():
            boxes[number] = Place(x + dx, y + dy, WIDTH, HEIGHT)
    return Layout(
        boxes=tuple(boxes[number] for number in range(len(network.boxes))),
        regions=places,
        width=width,
        height=height,
    )


def _neighbours(network: Network) -> list[list[int]]:
    near: list[list[int]] = [[] for _ in network.boxes]
    for cable in network.cables:
        near[cable.box].append(cable.other)
        near[cable.other].append(cable.box)
    return near


def _region(network: Network, members: Sequence[int], near: Sequence[Sequence[int]]) -> _Block:
    """Place the boxes of one region: a tree for each connected part, and a block of single ones."""
    inside = set(members)
    parents = _parents(network, members, near, inside)
    children: dict[int, list[int]] = {number: [] for number in members}
    roots, single = [], []
    for number in members:
        parent = parents.get(number)
        if parent is not None:
            children[parent].append(number)
        elif any(other in inside for other in near[number]):
            roots.append(number)
        else:
            single.append(number)
    blocks = [_tree(root, children) for root in roots]
    if single:
        blocks.append(_grid(single))
    return _packed(blocks)


def _parents(
    network: Network, members: Iterable[int], near: Sequence[Sequence[int]], inside: set[int]
) -> dict[int, int]:
    """Return the box that each box hangs from: one step nearer to the root of its part."""

    def rank(number: int) -> tuple[int, int, int]:
        kind = network.boxes[number].kind
        place = _ROOTS.index(kind) if kind in _ROOTS else len(_ROOTS)
        return place, -len(near[number]), number

    parents: dict[int, int] = {}
    seen: set[int] = set()
    for root in sorted(members, key=rank):
        if root in seen:
            continue
        seen.add(root)
        waiting = deque([root])
        while waiting:
            number = waiting.popleft()
            for other in sorted(set(near[number]) & inside, key=rank):
                if other not in seen:
                    seen.add(other)
                    parents[other] = number
                    waiting.append(other)
    return parents


def _tree(root: int, children: dict[int, list[int]]) -> _Block:
    """Place a box above all that hangs from it; without recursion, since a chain may be long."""
    order = [root]
    for number in order:
        order += children[number]
    blocks: dict[int, _Block] = {}
    for number in reversed(order):
        below = children[number]
        leaves = [child for child in below if not children[child]]
        parts = [blocks.pop(child) for child in below if children[child]]
        if leaves:
            parts.append(_grid(leaves))
        blocks[number] = _above(number, _packed(parts)) if parts else _grid([number])
    return blocks[root]


def _above(number: int, below: _Block) -> _Block:
    width = max(below.width, WIDTH)
    shift = (width - below.width) / 2
    places = {key: (x + shift, y + _LAYER) for key, (x, y) in below.places.items()}
    places[number] = ((width - WIDTH) / 2, 0.0)
    return _Block(width, below.height + _LAYER, places)


def _grid(numbers: Sequence[int]) -> _Block:
    """Place boxes in a block of equal columns."""
    cell = WIDTH + _GAP, HEIGHT + _GAP
    columns = max(1, round(math.sqrt(len(numbers) * cell[1] / cell[0] * _RATIO)))
    places = {
        number: (float(index % columns * cell[0]), float(index // columns * cell[1]))
        for index, number in enumerate(numbers)
    }
    rows = math.ceil(len(numbers) / columns)
    across = min(columns, len(numbers))
    return _Block(across * cell[0] - _GAP, rows * cell[1] - _GAP, places)


def _packed(blocks: Sequence[_Block]) -> _Block:
    corners, width, height = _shelves(blocks, gap=2 * _GAP)
    places = {
        number: (x + left, y + top)
        for block, (left, top) in zip(blocks, corners, strict=True)
        for number, (x, y) in block.places.items()
    }
    return _Block(width, height, places)


def _shelves(
    blocks: Sequence[_Block], *, gap: float
) -> tuple[list[tuple[float, float]], float, float]:
    """Return the corners of blocks in rows of about the same width, and the whole size."""
    area = sum((block.width + gap) * (block.height + gap) for block in blocks)
    widest = max((block.width for block in blocks), default=0.0)
    limit = max(widest, math.sqrt(area * _RATIO), _ROW)
    corners: list[tuple[float, float]] = []
    x = y = height = width = 0.0
    for block in blocks:
        if x and x + block.width > limit:
            x, y, height = 0.0, y + height + gap, 0.0
        corners.append((x, y))
        width = max(width, x + block.width)
        height = max(height, block.height)
        x += block.width + gap
    return corners, width, y + height


def _framed(block: _Block) -> _Block:
    places = {key: (x + _PAD, y + _PAD + _HEAD) for key, (x, y) in block.places.items()}
    return _Block(block.width + 2 * _PAD, block.height + 2 * _PAD + _HEAD, places)
