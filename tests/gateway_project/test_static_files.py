import pytest
from django.test import Client

ADDRESS = "/static/portal/markup.js"

pytestmark = pytest.mark.django_db  # every request looks after old connections when it ends


def test_file_is_served_whole(client: Client) -> None:
    response = client.get(ADDRESS)
    assert response.status_code == 200
    assert not response.streaming
    assert response.content.startswith(b"// The little of Markdown")
    assert response["Content-Type"].startswith("text/javascript")
    assert int(response["Content-Length"]) == len(response.content)


def test_part_of_a_file(client: Client) -> None:
    response = client.get(ADDRESS, headers={"range": "bytes=3-5"})
    assert (response.status_code, response.content) == (206, b"The")


def test_unchanged_file_is_not_sent_again(client: Client) -> None:
    response = client.get(ADDRESS, headers={"if-modified-since": client.get(ADDRESS)["Last-Modified"]})
    assert (response.status_code, response.content) == (304, b"")


def test_head_sends_no_body(client: Client) -> None:
    response = client.head(ADDRESS)
    assert (response.status_code, response.content) == (200, b"")
