"""Two runs side by side in the sample browser, and runs that cannot be compared there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reports import paths
from reports.site import write_site
from tests.reports import boards, samples
from tests.reports.browsed_samples import Site, answers, at, choose, scores, site
from tests.reports.test_browser import Watched, browser, watched

__all__ = ["browser", "site", "watched"]

pytestmark = pytest.mark.browser


def test_two_runs_are_laid_side_by_side_where_they_differ(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.one))
    choose(page, "against", paths.run_stem(site.two.row["run"]))
    one, two = site.one.page.regions, site.two.page.regions
    differ = (one["text"] != two["text"]).sum()
    assert page.locator(".card").count() == differ
    assert all(a != b for a, b in zip(answers(page), answers(page, 2), strict=False))
    apart = [abs(a - b) for a, b in zip(scores(page), scores(page, 2), strict=True)]
    assert apart == sorted(apart, reverse=True)
    names = page.locator(".card").first.locator("dt").all_inner_texts()
    assert [name.split()[0] for name in names] == ["Reference", "one", "two"]
    won = int((one[samples.MAIN] > two[samples.MAIN]).sum())
    lost = int((one[samples.MAIN] < two[samples.MAIN]).sum())
    choose(page, "outcome", "won")
    assert page.locator(".card").count() == won
    assert all(a > b for a, b in zip(scores(page), scores(page, 2), strict=True))
    choose(page, "outcome", "lost")
    assert page.locator(".card").count() == lost


def test_a_link_to_a_comparison_opens_it(watched: Watched, site: Site) -> None:
    stem = paths.run_stem(site.two.row["run"])
    page = at(watched, site.path(site.one), f"#against={stem}&outcome=lost&category=red")
    assert page.locator("#outcomes select").input_value() == "lost"
    assert set(answers(page, 0)) == {"red"}
    assert page.locator(".card").first.locator("dl > div").count() == 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"encoder": "other@123"}, "another encoder"),
        ({"protocol": boards.PROTOCOLS[1]}, "another protocol"),
        ({"main_metric": "semantic_iou"}, "another main metric"),
        ({"encoder": "other@123", "protocol": "p"}, "another protocol and encoder"),
    ],
)
def test_scores_that_were_made_in_another_way_are_not_subtracted(
    watched: Watched, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    one, two = _differing("one", 0), _differing("two", 1)
    two.row.update(changes)
    protocol = f"/{two.row['protocol']}"
    renamed = {c: c.replace(f"/{samples.PROTOCOL}", protocol) for c in map(str, two.page.regions)}
    regions = two.page.regions.rename(columns=renamed)
    two = boards.Made(two.row, two.scores, dataclasses.replace(two.page, regions=regions))
    write_site(samples.board([one, two]), tmp_path)
    path = tmp_path / f"{paths.run_stem(one.row['run'])}.samples.html"
    stem = paths.run_stem(two.row["run"])
    differ = (one.page.regions["text"] != two.page.regions["text"]).sum()
    for choices in ("", "&outcome=won", "&order=difference&outcome=lost"):
        page = at(watched, path, f"#against={stem}{choices}")
        assert said in page.locator("#unlike").inner_text()
        assert not page.locator("[name=outcome]").is_visible()
        assert page.locator("[name=order] option[value=difference]").is_hidden()
        assert page.locator("[name=order]").input_value() == ""
        assert page.locator(".card").count() == differ
        shown = scores(page)
        assert shown == sorted(shown)
    choose(page, "against", "")
    assert not page.locator("#unlike").is_visible()


def _differing(model: str, seed: int) -> boards.Made:
    """A run with two metrics, either of which may be its main one."""
    made = samples.classed(model, seed=seed, right=0.5)
    iou = made.page.regions[samples.MAIN] / 2
    regions = made.page.regions.assign(**{f"semantic_iou/{samples.PROTOCOL}": iou})
    return boards.Made(made.row, made.scores, dataclasses.replace(made.page, regions=regions))


@pytest.mark.parametrize("name", ["constructor", "toString", "__proto__"])
@pytest.mark.parametrize("choice", ["order", "outcome", "show"])
def test_an_address_that_names_no_choice_is_the_usual_one(
    watched: Watched, site: Site, choice: str, name: str
) -> None:
    stem = paths.run_stem(site.two.row["run"])
    page = at(watched, site.path(site.one), f"#against={stem}")
    usual = page.locator(".card").count()
    page = at(watched, site.path(site.one), f"#against={stem}&{choice}={name}")
    assert page.locator(".card").count() == usual
    assert page.locator("#cards .empty").count() == 0


def test_runs_of_other_suites_cannot_be_compared(watched: Watched, site: Site) -> None:
    page = at(watched, site.path(site.words))
    assert page.locator("[name=against] option").count() == 1
    assert page.locator("[name=against]").is_disabled()
