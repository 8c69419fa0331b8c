"""A foreign client against the simulator's NTLM: requests-ntlm reads, writes and is refused.

    cargo run -p cdms-simulator -- --metadata mappings/metadata.xml --ntlm 'CDMS\\datahub:secret'
    pip install requests-ntlm
    python tests/foreign/ntlm_client.py http://127.0.0.1:PORT/ORG/XRMServices/2011/OrganizationData.svc
"""

import sys
import uuid

import requests
import requests_ntlm

SERVICE = sys.argv[1]
JSON = {"Accept": "application/json", "Content-Type": "application/json"}


def session(password):
    session = requests.Session()
    session.auth = requests_ntlm.HttpNtlmAuth("CDMS\\datahub", password)
    session.headers.update(JSON)
    return session


def main():
    bare = requests.get(f"{SERVICE}/AccountSet", headers=JSON)
    assert bare.status_code == 401, bare.status_code
    assert "NTLM" in bare.headers["WWW-Authenticate"], bare.headers
    right = session("secret")
    listed = right.get(f"{SERVICE}/AccountSet?$top=1")
    assert listed.status_code == 200, listed.text
    assert listed.headers["Persistent-Auth"] == "true", listed.headers
    again = right.get(f"{SERVICE}/AccountSet?$top=1")
    assert again.status_code == 200 and not again.history, "the connection stays logged in"
    record = str(uuid.uuid4())
    created = right.post(f"{SERVICE}/AccountSet", json={"AccountId": record, "Name": "Acme"})
    assert created.status_code == 201, created.text
    read = right.get(f"{SERVICE}/AccountSet(guid'{record}')?$select=Name")
    assert read.json()["d"]["Name"] == "Acme", read.text
    assert session("wrong").get(f"{SERVICE}/AccountSet?$top=1").status_code == 401
    print(f"requests-ntlm {requests_ntlm.__version__ if hasattr(requests_ntlm, '__version__') else ''}: all as expected")


main()
