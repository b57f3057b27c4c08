"""The commands of the service's guide to its API, character by character, and where the guide slips.

They are run by a shell as a reader would paste them; only host and key are the test's own.

* The claim of one device breaks its line inside single quotes: the backslash stays, and the body is no JSON.
* The bulk claim lost its line breaks: what is left of each continuation is a backslash before a hyphen, which
  the shell takes away.
* Its ``-d @FILE`` lets curl take the line breaks out of the file: rows run together.
* The token in the example of the CSV file lacks the first character of its second half.
* The signatures in both tokens are none: no key on P-256 can have made them. So no service that checks them
  takes the tokens, and where a claim is to succeed a token of our own stands in their place.
* One id stands for a device in one command and for a tag in the next ones (nrfcloud fact sheet, section 2.7).
* The device in the example of an answer is not the one that the token beside it names (section 4.4).
"""

from __future__ import annotations

HOST = "https://api.provisioning.nrfcloud.com"

TOKEN = (
    "2dn3hQFQSWHIc0CMRc6xunwNmdiBeQNQpNWAuar7SSW8jduV9zfUrlDi2RpLvSI7Lpj6UEpyjZUy"
    ".0oRDoQEmoQRBIfZYQOOK3tk8JPbQj97vYSUwvg2l4RWnI-HkW870dxWy6pirvWJ5ZfjLtJsP-R5C9MJNtMHkZEZNjI1bmMaMLInZWTE"
)
"""Of device 4961c873-408c-45ce-b1ba-7c0d99d88179, a nRF9160 SICA (section 4.4)."""

ROW = (
    "2dn3hQFQMGctS_s1SFah9Ec8pTovDQNQJQ6Xd9jnSmyoRTcyiJBnpFDeHvNg-5iCpT8LJcf7JVzK"
    ".oRDoQEmoQRBIfZYQIa6SNb3Ic7oz1UCacFTgWc63TNOE8i3rEa-cZElEUrKOOHlJ0dwGwPvZY0FXcA5L3Zh-TfQBONj1N5LPqYMmJc"
    ',"Oslo,white"'
)
ROW_TOKEN = ROW.partition(",")[0]
REPAIRED_ROW = ROW.replace(".oRDoQEm", ".0oRDoQEm")
"""Of device 30672d4b-fb35-4856-a1f4-473ca53a2f0d."""

CLAIM = rf"""curl -X POST {HOST}/v1/identities/claimed-devices \
-H "Content-Type: application/json" \
-H "Authorization: Bearer $API_KEY" \
-d '{{ "claimToken": "{TOKEN}", \
"tags": [ "location=Trondheim" ] }}'"""
REPAIRED_CLAIM = CLAIM.replace('", \\\n"tags"', '", "tags"')

BULK_CLAIM = (
    rf'curl -X POST {HOST}/v1/claimed-devices \-H "Content-Type: text/csv" '
    r'\-H "Authorization: Bearer $API_KEY" \-d @$PATH_TO_CSV_FILE'
)

ID = "6c044228-4b96-4e65-9796-66b4b8bb0509"
DEVICE = "7b21b4bc-1cc9-41df-b05c-61b4605e5bb0"

_TAG = '{ "tag": "location=Trondheim", "description": "Devices deployed in Trondheim." }'
_AUTHORISED = '-H "Authorization: Bearer $API_KEY"'
_JSON = '-H "Content-Type: application/json"'
_DEVICES = "$API_HOST/v1/claimed-devices"

DEFINE_TAG = f"curl -X POST {_DEVICES}/tags -d '{_TAG}' {_AUTHORISED} {_JSON}"
LIST_TAGS = f"curl -X GET {_DEVICES}/tags {_AUTHORISED}"
READ_TAGS = f"curl -X GET {_DEVICES}/tags/{ID} {_AUTHORISED}"
UPDATE_TAG = f"curl -X PUT {_DEVICES}/tags/{ID} -d '{_TAG}' {_AUTHORISED} {_JSON}"
DELETE_TAG = f"curl -X DELETE {_DEVICES}/tags/{ID} {_AUTHORISED}"
LIST_DEVICES = f"curl -X GET {_DEVICES} {_AUTHORISED}"
BLOCK = f"curl -X POST {_DEVICES}/{DEVICE}/block {_AUTHORISED}"
UNBLOCK = f"curl -X POST {_DEVICES}/{DEVICE}/unblock {_AUTHORISED}"
UNCLAIM = f"curl -X DELETE {_DEVICES}/{DEVICE} {_AUTHORISED}"
