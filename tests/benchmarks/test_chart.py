from xml.etree import ElementTree

from benchmarks.chart import PANELS, bar_width, draw
from benchmarks.measures import Measures


def test_a_bar_grows_with_its_value_and_fits_its_room() -> None:
    widths = [bar_width(value, 10_000, room=400) for value in (0.1, 10, 100, 10_000)]
    assert widths == [2.0, 100.0, 200.0, 400.0]


def test_the_drawing_is_xml_with_a_bar_for_each_figure() -> None:
    rows = {"LLM Gateway": Measures(calls_per_s=5000.0, cpu_us_per_call=200.0), "a & b": Measures(calls_per_s=100.0)}
    root = ElementTree.fromstring(draw(rows))
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    bars = [bar for bar in root.iter("{http://www.w3.org/2000/svg}rect") if bar.get("rx")]
    assert len(bars) == 3
    assert texts.count("a & b") == len(PANELS)
    assert texts.count("not measured") == len(PANELS) * 2 - 3
    assert "5,000" in texts


def test_a_drawing_of_nothing_is_still_a_drawing() -> None:
    assert ElementTree.fromstring(draw({})).tag.endswith("svg")
