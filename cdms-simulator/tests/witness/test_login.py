"""The login: a form, a cookie, and the answer to a request without it."""

import urllib.parse

from scene import Witness

USER, PASSWORD = "hub", "pass & word"


class Login(Witness):
    options = (*Witness.options, "--login", f"{USER}:{PASSWORD}")

    def enter(self, user, password):
        fields = urllib.parse.urlencode({"user": user, "password": password})
        return self.ask("POST", "/ORG/login", fields, Content_Type="application/x-www-form-urlencoded")

    def session(self):
        """The cookie of a new session, as a browser would send it back."""
        entered = self.enter(USER, PASSWORD)
        self.assertEqual(entered.status, 200)
        return entered.headers["Set-Cookie"].split(";")[0]

    def status(self, cookie):
        return self.ask("GET", "AccountSet", Cookie=cookie).status

    def test_without_a_session_nothing_is_done_and_the_answer_is_the_one_chosen(self):
        for expiry, status in [("401", 401), ("redirect", 302), ("form", 200)]:
            self.start(*self.options, "--expiry", expiry)
            for reply in [
                self.create("AccountSet", Name="x"),
                self.get("AccountSet"),
                self.get("FooSet"),
                self.get("$metadata"),
                self.ask("GET", "AccountSet", Cookie="MSISAuth=guessed; MSISAuth="),
            ]:
                self.assertEqual(reply.status, status, expiry)
                self.assertEqual("Location" in reply.headers, expiry == "redirect")
                self.assertEqual(b"<form" in reply.bytes, expiry == "form")
                self.assertNotIn("Set-Cookie", reply.headers)
            self.assertEqual(self.log(), [])

    def test_401_is_the_answer_where_none_is_chosen_and_has_no_body(self):
        reply = self.get("AccountSet")
        self.assertEqual((reply.status, reply.bytes), (401, b""))

    def test_the_redirect_leads_to_a_login_page_elsewhere(self):
        self.start(*self.options, "--expiry", "redirect")
        location = urllib.parse.urlsplit(self.get("AccountSet").headers["Location"])
        self.assertEqual((location.scheme, location.query), ("https", "wa=wsignin1.0"))
        self.assertNotEqual(location.netloc, self.host)

    def test_the_right_fields_open_a_session_and_others_show_the_form_again(self):
        for user, password in [(USER, "wrong"), ("other", PASSWORD), ("", ""), (USER, PASSWORD + " ")]:
            reply = self.enter(user, password)
            self.assertEqual((reply.status, reply.headers["Set-Cookie"]), (200, None), (user, password))
            self.assertIn(b"<form", reply.bytes)
        session = self.session()
        self.assertTrue(session.startswith("MSISAuth="), session)
        created = self.ask("POST", "AccountSet", {"Name": "x"}, Cookie=f"a=b; {session}; c=d")
        self.assertEqual(created.status, 201, created.bytes)

    def test_a_part_of_a_cookie_is_no_session(self):
        name, value = self.session().split("=", 1)
        for cookie in [f"{name}={value}x", f"{name}={value[:-1]}", f"{name.lower()}={value}", value,
                       f"x{name}={value}"]:
            self.assertEqual(self.status(cookie), 401, cookie)
        self.assertEqual(self.status(f"{name}={value}"), 200)

    def test_sessions_are_distinguished_and_end_together(self):
        self.start(*self.options, "--expiry", "redirect")
        first, second = self.session(), self.session()
        self.assertNotEqual(first, second)
        self.assertEqual((self.status(first), self.status(second)), (200, 200))
        self.assertEqual(self.control("DELETE", "sessions"), {"ended": True})
        self.assertEqual((self.status(first), self.status(second)), (302, 302))
        self.assertEqual((self.status(self.session()), self.status(first)), (200, 302))

    def test_the_form_can_be_fetched_and_filled_in_as_it_is(self):
        form = self.ask("GET", "/ORG/login", Accept="text/html")
        self.assertEqual((form.status, form.headers.get_content_type()), (200, "text/html"))
        for part in [b'action="/ORG/login"', b'method="post"', b'name="user"', b'name="password"']:
            self.assertIn(part, form.bytes)

    def test_only_the_login_itself_needs_no_session_however_it_is_written(self):
        for path in ["login", "AccountSet/login", "$metadata/login"]:
            self.assertEqual(self.get(path).status, 401, path)
        fields = urllib.parse.urlencode({"user": USER, "password": PASSWORD})
        self.assertIn("Set-Cookie", self.ask("POST", "/ORG/LOGIN", fields).headers)

    def test_the_cookie_holds_for_the_whole_host_and_is_hidden_from_scripts(self):
        attributes = {part.strip().lower() for part in self.enter(USER, PASSWORD).headers["Set-Cookie"].split(";")[1:]}
        self.assertEqual(attributes, {"path=/", "httponly"})

    def test_control_needs_no_login_and_meets_no_faults(self):
        self.fault({"html": 503}, times=None)
        self.assertEqual(self.log(), [])
        self.assertEqual(self.get("AccountSet").status, 503)


class NoLogin(Witness):
    def test_no_session_is_needed_without_a_login(self):
        self.assertEqual(self.get("AccountSet").status, 200)

    def test_control_must_be_switched_on(self):
        self.start(control=False)
        for path in ["log", "clock", "requests", "faults"]:
            self.assertEqual(self.ask("GET", f"/_control/{path}").status, 404, path)
