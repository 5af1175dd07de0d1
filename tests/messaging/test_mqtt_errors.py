"""Error sentences about brokers name the broker and the cause."""

from __future__ import annotations

import socket
import ssl

import pytest

from pdsno_cli.messaging import mqtt_errors


def tls_error() -> ssl.SSLError:
    error = ssl.SSLError(1, "wrong version")
    error.reason = "WRONG_VERSION_NUMBER"  # OpenSSL sets it
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "does not resolve"),
        (tls_error(), "use TLS on this port"),
        (ConnectionRefusedError(), "connection refused"),
        (TimeoutError(), "no answer"),
        (ConnectionResetError(), "use TLS at both ends"),
        (UnicodeError(), "invalid host name"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_failure_names_broker_and_cause(error, words):
    text = mqtt_errors.failure("broker b:1883", error)
    assert text.startswith("broker b:1883: ")
    assert words in text


@pytest.mark.parametrize("code", [0x86, 0x87])
def test_refused_credentials_name_the_user(code):
    named = mqtt_errors.refused("b", code, "Not authorized", "lc", "pdsno")
    assert "the credentials of user name 'pdsno'" in named
    anonymous = mqtt_errors.refused("b", code, "Not authorized", "lc", None)
    assert "a client without user name" in anonymous


def test_message_refused_names_known_and_unknown_reason_codes():
    assert "(quota exceeded)" in mqtt_errors.message_refused("b", "lc", "t", 0x97).text
    alarm = mqtt_errors.message_refused("b", "lc", "t", 0x42)
    assert "(reason code 0x42)" in alarm.text
    assert alarm.detail == {"topic": "t", "broker": "b", "code": "0x42"}


def test_taken_over_names_the_other_client_where_it_is_known():
    assert "another client (10.0.0.9)" in mqtt_errors.taken_over("b", "lc", "", "10.0.0.9")
    assert "another client connected" in mqtt_errors.taken_over("b", "lc", "", "")
