"""A browser that reads only what a sign-in uses reads the same of it as one that reads the whole page."""

from lab.bench.client.measured_browser import read_known_page
from lab.testkit.page import Page

CONTENT = """<!doctype html><html><head><title>Check your phone</title></head>
<body class="page" data-events="/login/events?of=a&amp;b=c"><h1>Check your phone</h1>
<p class="number" data-testid="number">42</p>
<form action="/cancel" method="post"><input type="hidden" name="csrf" value="x&quot;y"><button>Cancel</button></form>
<form action="/code"><input type="text" name="code"></form></body></html>"""


def test_hidden_fields_the_event_stream_and_the_number_are_read() -> None:
    known, whole = read_known_page(CONTENT), Page(CONTENT)
    assert known.hidden == whole.hidden == {"csrf": 'x"y'}
    assert known.events == whole.events == "/login/events?of=a&b=c"
    assert known.find("number").text == whole.find("number").text == "42"


def test_a_page_without_them_is_empty() -> None:
    known = read_known_page("<body><h1>Your account</h1></body>")
    assert (known.hidden, known.events, known.parts) == ({}, "", [])
