"""The account's API: keys, certificates, servers, lists; and what becomes of a call that goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from harness.errors import BackendFault
from harness_pelion.enums import CertificateService, CertificateStatus, ErrorType, ExecutionMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness_pelion.resources import DeveloperCredentials

WRONG_KEY = "ak_1" + "x" * 60
NO_ID = "0" * 32


@pytest.mark.proves("validate a key", "it is one")
def test_key_is_valid(pelion: Any) -> None:
    """The account says who it is."""
    account = pelion.account()

    assert len(account.id) == 32
    assert account.status == "ACTIVE"


@pytest.mark.proves("validate a key", "it is none")
def test_wrong_key(pelion: Any, refused: Callable[..., Any]) -> None:
    """A key that nobody has is refused."""
    with refused(401, ErrorType.INVALID_APIKEY):
        pelion.as_user(WRONG_KEY).account()


@pytest.mark.proves("validate a key", "there is none")
def test_no_key(pelion: Any, refused: Callable[..., Any]) -> None:
    """Nobody gets in without a key."""
    with refused(401, ErrorType.INVALID_TOKEN):
        pelion.as_user(None).account()


@pytest.mark.proves("validate a key", "it was deleted")
def test_deleted_key(pelion: Any, refused: Callable[..., Any]) -> None:
    """A key opens nothing any more when it was deleted."""
    key = pelion.create_api_key(pelion.own_name("key"))
    other = pelion.as_user(key.key)
    assert other.account().id == pelion.account().id

    pelion.delete_api_key(key.id)

    with refused(401, ErrorType.INVALID_APIKEY):
        other.account()


@pytest.mark.proves("create a certificate", "made")
def test_certificate_is_made(pelion: Any) -> None:
    """It is among those that the account trusts, for bootstrap and for development."""
    name = pelion.own_name("developer")
    made = pelion.create_developer_certificate(name)

    trusted = pelion.trusted_certificate(made.id)
    assert (trusted.name, trusted.service, trusted.status) == (
        name,
        CertificateService.BOOTSTRAP,
        CertificateStatus.ACTIVE,
    )
    assert trusted.device_execution_mode == ExecutionMode.DEVELOPMENT
    assert name in {certificate.name for certificate in pelion.developer_certificates()}


@pytest.mark.proves("create a certificate", "name is taken")
def test_name_is_taken(pelion: Any, refused: Callable[..., Any]) -> None:
    """A name is given once; the second try makes nothing."""
    name = pelion.own_name("developer")
    pelion.create_developer_certificate(name)

    with refused(409, ErrorType.DUPLICATE):
        pelion.create_developer_certificate(name)

    assert [each.name for each in pelion.developer_certificates()].count(name) == 1


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", marks=pytest.mark.proves("create a certificate", "no name"), id="none"),
        pytest.param(
            "n" * 101,
            marks=[
                pytest.mark.proves("create a certificate", "long name"),
                pytest.mark.backend("pelion", needs={"exact-status"}),
            ],
            id="long",
        ),
    ],
)
def test_unfit_name(pelion: Any, refused: Callable[..., Any], name: str) -> None:
    """A name has 1 to 100 characters, and nothing is made by another one."""
    with refused(400, ErrorType.VALIDATION_ERROR):
        pelion.create_developer_certificate(name)

    assert name not in {each.name for each in pelion.developer_certificates()}


@pytest.mark.backend("pelion", needs={"certificate-limit"})
@pytest.mark.proves("create a certificate", "too many")
def test_too_many_certificates(pelion: Any, refused: Callable[..., Any]) -> None:
    """An account has room for so many, and again for one when one was deleted."""
    pelion.set_limits(certificates=2)
    first = pelion.create_developer_certificate(pelion.own_name("first"))
    pelion.create_developer_certificate(pelion.own_name("second"))
    with refused(403, ErrorType.ACCOUNT_LIMIT_EXCEEDED):
        pelion.create_developer_certificate(pelion.own_name("third"))

    pelion.delete_certificate(first.id)

    pelion.create_developer_certificate(pelion.own_name("third"))


@pytest.mark.proves("look a certificate up", "found")
def test_certificate_is_found(pelion: Any, developer: DeveloperCredentials) -> None:
    """By its name, with the same key as when it was made."""
    name = pelion.trusted_certificate(developer.endpoint_name).name

    found = pelion.find_developer_certificate(name)

    assert found is not None
    assert found.credentials(developer.name) == developer


@pytest.mark.proves("look a certificate up", "nobody has it")
def test_certificate_is_not_found(pelion: Any) -> None:
    """A name that nobody gave leads to nothing."""
    assert pelion.find_developer_certificate(pelion.own_name("nobody")) is None


@pytest.mark.proves("delete a certificate", "deleted")
def test_certificate_is_deleted(pelion: Any, developer: DeveloperCredentials, refused: Any) -> None:
    """A developer certificate is deleted as any that is trusted is, and is gone from both lists."""
    pelion.delete_certificate(developer.endpoint_name)

    assert developer.endpoint_name not in {each.id for each in pelion.trusted_certificates()}
    with refused(404, ErrorType.NOT_FOUND):
        pelion.developer_certificate(developer.endpoint_name)


@pytest.mark.backend("pelion", needs={"own-accounts"})
@pytest.mark.proves("delete a certificate", "nobody has it")
def test_unknown_certificate_is_deleted(pelion: Any, refused: Callable[..., Any]) -> None:
    """An id that was never given is none."""
    with refused(404, ErrorType.NOT_FOUND):
        pelion.delete_certificate(NO_ID)


@pytest.mark.proves("read the server's address", "as in the C file")
def test_bootstrap_server(pelion: Any, developer: DeveloperCredentials) -> None:
    """Where to bootstrap, and whom to trust there, say API and C file alike."""
    server = pelion.bootstrap_server()

    assert developer.server_uri.startswith(server.server_uri.partition("?")[0])
    assert developer.server_uri.endswith(f"aid={developer.account_id}")
    assert (
        x509.load_pem_x509_certificate(server.server_certificate.encode()).public_bytes(Encoding.DER)
        == developer.server_ca_der
    )
    both = pelion.server_credentials()
    assert (both.bootstrap.url, both.lwm2m.url) == (server.server_uri, pelion.lwm2m_server().server_uri)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        pytest.param(
            500,
            ErrorType.INTERNAL_SERVER_ERROR,
            marks=pytest.mark.proves("create a certificate", "server error"),
            id="500",
        ),
        pytest.param(
            503,
            ErrorType.SYSTEM_UNAVAILABLE,
            marks=pytest.mark.proves("create a certificate", "unavailable"),
            id="503",
        ),
        pytest.param(
            429,
            ErrorType.RATE_LIMIT_EXCEEDED,
            marks=pytest.mark.proves("create a certificate", "throttled"),
            id="429",
        ),
    ],
)
@pytest.mark.backend("pelion", needs={"faults"})
def test_call_goes_wrong(pelion: Any, refused: Callable[..., Any], status: int, kind: ErrorType) -> None:
    """What the service says is told, nothing is made, and the next call goes well."""
    name = pelion.own_name("developer")
    with (
        pelion.fault("api", "status", step="POST /v3/developer-certificates", status=status, times=9),
        refused(status, kind),
    ):
        pelion.create_developer_certificate(name)

    assert pelion.find_developer_certificate(name) is None
    assert pelion.create_developer_certificate(name).name == name


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("hang_up", marks=pytest.mark.proves("read the account", "no answer"), id="hang up"),
        pytest.param("garbage", marks=pytest.mark.proves("read the account", "no JSON"), id="garbage"),
    ],
)
@pytest.mark.backend("pelion", needs={"faults"})
def test_answer_is_none(pelion: Any, kind: str) -> None:
    """An answer that is none is the service's fault, and is told as that."""
    with pelion.fault("api", kind, step="GET /v3/accounts/me", times=9), pytest.raises(BackendFault):
        pelion.account()

    assert pelion.account().status == "ACTIVE"


@pytest.mark.backend("pelion", needs={"faults"})
@pytest.mark.proves("create a certificate", "answer is lost")
def test_answer_is_lost(pelion: Any) -> None:
    """A certificate whose answer was lost is there: it is found by its name."""
    name = pelion.own_name("developer")
    step = "POST /v3/developer-certificates"
    with pelion.fault("api", "answer_lost", step=step), pytest.raises(BackendFault):
        pelion.create_developer_certificate(name)

    found = pelion.find_developer_certificate(name)

    assert found is not None
    pelion.delete_certificate(found.id)


@pytest.mark.backend("pelion", needs={"users"})
@pytest.mark.proves("create a certificate", "by a second user")
def test_second_user(pelion: Any) -> None:
    """A second user of the account sees and uses what the first one made."""
    user = pelion.as_user(pelion.new_user("second").api_key)
    made = pelion.create_developer_certificate(pelion.own_name("shared"))

    assert user.account().id == pelion.account().id
    assert user.developer_certificate(made.id).credentials() == made.credentials()


@pytest.mark.parametrize("page", [2, 3, 50])
@pytest.mark.backend("pelion", needs={"own-accounts"})
@pytest.mark.proves("list certificates", "page by page")
def test_pages(pelion: Any, page: int) -> None:
    """However long a page is, the list is the same, in the order in which they were made.

    Only in an account of one's own: what a service answers when others delete the row behind which a page
    begins is not public.
    """
    made = [pelion.create_developer_certificate(pelion.own_name(f"{number}")).id for number in range(5)]

    listed = [each.id for each in pelion.trusted_certificates(limit=page, order="ASC")]

    assert [each for each in listed if each in made] == made
