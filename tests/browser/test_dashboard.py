"""The dashboard in a browser: what it shows is what the API says, and nothing in it runs."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "api"))

import cdp
import kit
from kit import Case, failure

HOSTILE = "<img src=x onerror=window.broken=1><script>window.broken=1</script>"


class Dashboard(Case):
    @classmethod
    def setUpClass(cls):
        at = int(time.time()) - 7200
        cls.service.ask("PUT", "/v1/campaigns/spring", {"sent": 1000, "name": HOSTILE})
        cls.service.seed(
            *[failure("spring", "f%d@x.example" % n, at=at - n * 3600, diagnostic=HOSTILE)
              for n in range(30)],
            *[failure("spring", "s%d@x.example" % n, at=at, class_="mailbox_full", permanent="no",
                      provider="yahoo") for n in range(5)],
            *[failure("spring", "b%d@x.example" % n, at=at, class_="reputation_block",
                      provider="microsoft") for n in range(7)],
            *[failure("spring", "d%d@x.example" % n, at=at, action="delayed", class_="throttled",
                      permanent="no", provider="gmx") for n in range(11)])
        cls.page = cdp.Page()
        cls.url = "http://127.0.0.1:%d/" % cls.service.port

    @classmethod
    def tearDownClass(cls):
        cls.page.close()

    def setUp(self):
        self.page.errors.clear()
        self.page.open(self.url)
        self.page.until("document.readyState === 'complete' && !!document.querySelector('nav')")
        self.page.value("sessionStorage.setItem('dsnd-token', '%s')" % self.service.token)

    def tearDown(self):
        self.assertIsNone(self.page.value("window.broken || null"))
        self.assertEqual(self.page.errors, [])

    def show(self, view, script):
        """Go to a view and wait until it shows what it should."""
        self.page.open("about:blank")
        self.page.open(self.url + "#/" + view)
        return self.page.until(script)

    def text(self):
        return self.page.value("document.getElementById('view').innerText")

    def test_it_asks_for_a_token_and_refuses_a_bad_one(self):
        self.page.value("sessionStorage.clear()")
        self.show("", "!document.getElementById('enter').hidden")
        self.page.value("document.querySelector('[name=token]').value = 'dsnd_%s';"
                        "document.querySelector('#enter button').click()" % ("a" * 52))
        self.page.until("document.getElementById('notice').innerText.includes('token')")
        self.page.value("document.querySelector('[name=token]').value = '%s';"
                        "document.querySelector('#enter button').click()" % self.service.token)
        self.page.until("document.querySelectorAll('.tile').length === 6")
        self.assertTrue(self.page.value("document.getElementById('enter').hidden"))
        self.page.value("document.getElementById('leave').click()")
        self.page.until("!document.getElementById('enter').hidden")
        self.assertEqual(self.page.value("document.querySelectorAll('.tile').length"), 0)
        self.page.errors[:] = [e for e in self.page.errors if "401" not in e]

    def test_the_overview_shows_the_numbers_of_the_api(self):
        self.show("", "document.querySelectorAll('.tile').length === 6")
        tiles = self.page.value("[...document.querySelectorAll('.tile')].map(t => t.innerText)")
        self.assertIn("42", tiles[1])
        self.assertIn("11", tiles[2])
        self.assertTrue(self.page.value("document.querySelectorAll('svg .bar').length") >= 2)
        for word in ("google", "microsoft", "yahoo", "gmx", "mailbox_unknown", "reputation_block"):
            self.assertIn(word, self.text())
        if os.environ.get("DSND_TEST_PICTURES"):
            self.page.picture(os.path.join(os.environ["DSND_TEST_PICTURES"], "overview.png"))

    def test_open_incidents_are_shown_first(self):
        self.show("", "document.querySelectorAll('.tile').length === 6")
        self.assertNotIn("Open incidents", self.text())
        self.service.sql("UPDATE incident SET opened_at = now(), sample = '%s', blocklist = 'zen' "
                         "WHERE provider = 'microsoft'" % HOSTILE)
        self.show("", "document.getElementById('view').innerText.includes('Open incidents')")
        for word in ("microsoft", "zen", HOSTILE):
            self.assertIn(word, self.text())
        if os.environ.get("DSND_TEST_PICTURES"):
            self.page.picture(os.path.join(os.environ["DSND_TEST_PICTURES"], "incidents.png"))
        self.page.value("document.querySelector('#view a[href*=incident]').click()")
        self.page.until("document.querySelectorAll('#view tbody tr').length === 7")
        self.service.sql("UPDATE incident SET opened_at = NULL")

    def test_a_campaign_shows_rates_with_their_parts(self):
        self.show("campaigns", "!!document.querySelector('#view a[href*=spring]')")
        self.page.value("document.querySelector('#view a[href*=spring]').click()")
        self.page.until("document.getElementById('view').innerText.includes('Classes of failures')")
        for word in ("4.20 %", "42 of 1,000", "1.10 %", "11 of 1,000", HOSTILE, "mailbox_unknown"):
            self.assertIn(word, self.text())
        if os.environ.get("DSND_TEST_PICTURES"):
            self.page.picture(os.path.join(os.environ["DSND_TEST_PICTURES"], "campaign.png"))

    def test_records_are_filtered_and_explained(self):
        self.show("statuses?class=mailbox_unknown",
                  "document.querySelectorAll('#view tbody tr').length === 30")
        self.assertIn(HOSTILE, self.text())
        self.page.value("document.querySelector('[name=provider]').value = 'nosuch';"
                        "document.querySelector('#view form button').click()")
        self.page.until("document.getElementById('view').innerText.includes('No record fits')")
        self.show("statuses", "!!document.querySelector('#view a[href*=reports]')")
        self.page.value("document.querySelector('#view a[href*=reports]').click()")
        self.page.until("document.getElementById('view').innerText.includes('proves the address')")

    def test_a_suppression_is_looked_up_lifted_and_set_again(self):
        self.show("suppressions?address=f1%40x.example",
                  "document.getElementById('view').innerText.includes('is suppressed since')")
        button = "[...document.querySelectorAll('#view p button')].at(-1).click()"
        self.page.value(button)
        self.page.until("document.getElementById('view').innerText.includes('is not suppressed')")
        self.problem(self.get("/v1/suppressions/f1@x.example"), 404)
        self.page.value(button)
        self.page.until("document.getElementById('view').innerText.includes('by api')")
        self.assertEqual(self.get("/v1/suppressions/f1@x.example").json["source"], "api")
        self.page.errors[:] = [e for e in self.page.errors if "404" not in e]

    def test_what_is_held_is_decided_here(self):
        self.service.ask("PUT", "/v1/campaigns/outage", {"sent": 300})
        self.service.seed(*[failure("outage", "o%d@x.example" % n, at=int(time.time()),
                                    provider="flaky", diagnostic="550 gone") for n in range(120)])
        self.service.sql("SELECT guard_hold(now(), 10000)")
        self.show("suppressions", "document.getElementById('view').innerText.includes('Held')")
        self.page.value("[...document.querySelectorAll('#view td button')]"
                        ".find(b => b.innerText === 'Drop them').click()")
        self.page.until("!document.getElementById('view').innerText.includes('Held')")
        self.problem(self.get("/v1/suppressions/o1@x.example"), 404)

    def test_it_reads_what_a_token_of_scope_read_may(self):
        token = self.service.add_token("read")
        self.page.value("sessionStorage.setItem('dsnd-token', '%s')" % token)
        for view in ("", "campaigns", "campaigns/spring", "statuses", "suppressions"):
            self.show(view, "!!document.querySelector('#view h2')")
        self.assertEqual(self.page.value("document.getElementById('notice').innerText"), "")

    def notice(self, words):
        return self.page.until("document.getElementById('notice').innerText.includes('%s')" % words)

    def expect_errors(self, *words):
        """The browser itself notes answers that refuse; nothing else may have gone wrong."""
        self.page.errors[:] = [e for e in self.page.errors if not any(w in e for w in words)]

    def test_a_file_that_cannot_be_saved_is_told(self):
        save = "[...document.querySelectorAll('#view button')].at(-1).click()"
        number = self.get("/v1/statuses", campaign="spring").data[0]["report_id"]
        for view, path in (("", "/v1/metrics"), ("statuses", "/v1/statuses"),
                           ("reports/%d" % number, "/raw"), ("suppressions", "/v1/suppressions")):
            for answer, words in (("new Response('{\"detail\": \"too often\"}', {status: 429})",
                                   "too often"),
                                  ("Promise.reject(new TypeError('gone'))", "reached: gone"),
                                  ("new Response(new ReadableStream({start(c) {"
                                   "c.error(new TypeError('cut off'))}}))", "cannot be reached")):
                with self.subTest(view=view, words=words):
                    self.show(view, "[...document.querySelectorAll('#view button')].length > 0")
                    self.page.value("window.fetch = async (url) => url.includes('%s') ? %s : null;"
                                    "%s" % (path, answer, save))
                    self.notice(words)
        self.show("statuses", "[...document.querySelectorAll('#view button')].length > 0")
        self.page.value("sessionStorage.setItem('dsnd-token', 'dsnd_%s'); %s" % ("a" * 52, save))
        self.page.until("!document.getElementById('enter').hidden")
        self.expect_errors("401")

    def test_an_address_that_names_no_view_is_told(self):
        for view in ("nosuch", "constructor", "__proto__", "toString"):
            self.show(view, "document.getElementById('view').innerText.includes('no such view')")
        self.show("campaigns/%zz", "document.getElementById('notice').innerText !== ''")
        self.assertNotIn("reached", self.page.value("document.getElementById('notice').innerText"))
        self.expect_errors("400", "404")

    def test_a_fault_of_the_dashboard_is_not_told_as_one_of_the_server(self):
        self.show("campaigns", "!!document.querySelector('#view table')")
        self.page.value("Intl.DateTimeFormat = null; location.hash = '#/statuses'")
        self.notice("The dashboard has failed")
        self.page.value("window.fetch = async () => { throw new TypeError('gone'); };"
                        "location.hash = '#/campaigns'")
        self.notice("The server cannot be reached: gone")


if __name__ == "__main__":
    kit.main()
