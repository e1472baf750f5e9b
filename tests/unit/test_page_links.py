"""The link to a publisher's file on its page: found however the page writes it, followed only if it is safe."""

from __future__ import annotations

import pytest

from tests.fakes import shiller
from tests.fakes.publishers import accepted, source_of, unreachable
from tests.fakes.server import Served, running


def test_link_inside_a_script_is_a_link_and_its_query_is_not_shown() -> None:
    server = shiller.shiller()
    escaped = (server.root + shiller.FILE_PATH).replace("/", "\\u002F")
    page = f'<html><script>{{"href":"{escaped}?ver=1"}}</script></html>'
    server.routes["/"] = Served(page.encode(), "text/html")
    with running(server):
        assert accepted(source_of("shiller", server), "SHILLER_CPI").where == server.root + shiller.FILE_PATH
    assert server.requests[1].query == {"ver": "1"}


PAGES = {
    "unquoted": "<p><a class=btn href={path}>US Stock Markets</a> <a href=/contact>Contact</a>",
    "single quotes, capitals and spaces": "<A HREF = ' {path} ' >Data</A>",
    "an escaped query": '<a href="{path}?a=1&amp;b=2">Data</a>',
    "relative": '<a href="blobby/go/e5e7/downloads/70fe/ie_data.xls">Data</a>',
    "named in the text before": "<p>Download ie_data.xls below, or mail_ie_data.xls.</p><a href={path}>Data</a>",
    "an unencrypted one before": (
        '<a href="http://www.econ.yale.edu/~shiller/data/ie_data.xls">old</a> <a href="{root}{path}">new</a>'
    ),
    "another host by the page's own scheme before": (
        '<a href="//example.org/ie_data.xls">old</a> <a href={path}>Data</a>'
    ),
}


@pytest.mark.parametrize("name", PAGES)
def test_link_is_found_however_the_page_writes_it(name: str) -> None:
    server = shiller.shiller(page="<!DOCTYPE html><html><body>" + PAGES[name] + "</body></html>")
    with running(server):
        assert accepted(source_of("shiller", server), "SHILLER_CPI").where == server.root + shiller.FILE_PATH
    assert [request.path for request in server.requests] == ["/", shiller.FILE_PATH]
    if name == "an escaped query":
        assert server.requests[1].query == {"a": "1", "b": "2"}


def test_page_with_unencrypted_links_only_names_the_setting_and_asks_none_of_them() -> None:
    page = '<html><a href="http://www.econ.yale.edu/~shiller/data/ie_data.xls">Data</a></html>'
    server = shiller.shiller(page=page)
    with running(server):
        line = unreachable(source_of("shiller", server), "SHILLER_CPI")
    assert "a page that links ie_data.xls only without https; set SHILLER_URL" in line
    assert len(server.requests) == 1
