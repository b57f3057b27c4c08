"""The calls about provisioning rules (nrfcloud fact sheet, section 2.9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from harness_nordic.fake.answers import read_body
from harness_nordic.fake.bodies import RuleBody, RuleChange, parse_body
from harness_nordic.fake.paging import page_of
from harness_nordic.fake.rules import RuleContents
from harness_nordic.fake.team_calls import TeamCalls

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import Route

    from harness_nordic.fake.rules import Rule, TeamRules

RULES = "/v1/provisioning-rules"


class RuleManagement(TeamCalls):
    """The routes of rules."""

    @property
    def routes(self) -> list[Route]:
        """All routes; those of a single rule are a fake choice."""
        routes = [self._route("POST", RULES, self.create), self._route("GET", RULES, self.list_rules)]
        if self._service.choices.rule_control:
            rule = RULES + "/{rule_id}"
            routes += [
                self._route("GET", rule, self.read),
                self._route("PUT", rule, self.change),
                self._route("DELETE", rule, self.delete),
            ]
        return routes

    def _rules(self, request: Request) -> TeamRules:
        return self._service.rules_of(self._member(request))

    async def create(self, request: Request) -> Response:
        """Make a rule: a draft, unless it is to be active at once."""
        rules = self._rules(request)
        body = parse_body(RuleBody, await read_body(request))
        rule = rules.create(body.contents(RuleContents(name=body.name)), self._service.clock.timestamp())
        return JSONResponse(self._shown(rules, rule), status_code=201)

    async def list_rules(self, request: Request) -> Response:
        """All rules of the team, in pages."""
        rules = self._rules(request)
        return page_of(request, [(rule.number, self._shown(rules, rule)) for rule in rules.all()])

    async def read(self, request: Request) -> Response:
        """One rule."""
        rules = self._rules(request)
        return JSONResponse(rules.to_json(rules.rule(request.path_params["rule_id"])))

    async def change(self, request: Request) -> Response:
        """Edit or activate a draft, or take an active rule out of use."""
        rules = self._rules(request)
        body = parse_body(RuleChange, await read_body(request))
        rule = rules.rule(request.path_params["rule_id"])
        changed = rules.change(rule.id, body.contents(rules.contents_of(rule)))
        return JSONResponse(rules.to_json(changed))

    async def delete(self, request: Request) -> Response:
        """Delete a rule; devices keep what it gave them."""
        self._rules(request).delete(request.path_params["rule_id"])
        return Response(status_code=204)

    def _shown(self, rules: TeamRules, rule: Rule) -> dict[str, Any]:
        shown = rules.to_json(rule)
        return {"tags": shown["tags"]} if self._service.choices.rules_brief else shown
