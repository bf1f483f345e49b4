"""Where the things lie that an event, a cluster or a row names: their pages, as far as this app has them."""

from nicegui import app

from brewslm.observe.leads import Lead
from brewslm.web.parts import Text, box, button, link

OF_A_PROJECT = "/projects/{project}"


def registered() -> set[str]:
    """The paths of the pages that this app has."""
    return {str(getattr(route, "path", "")) for route in app.routes}


def run_way(project: int, run_id: str) -> str:
    """A run's page; where there is none, its tree in the timeline."""
    own = f"{OF_A_PROJECT}/runs/{{run_id}}"
    if own in registered():
        return f"/projects/{project}/runs/{run_id}"
    return f"/projects/{project}/events?run={run_id}"


def way_of(lead: Lead, project: int) -> str:
    """The page of what a lead leads to; "" where there is none."""
    name = lead.path.partition("?")[0].rsplit("/", 1)[-1]
    if lead.what in ("run", "experiment"):
        return run_way(project, name)
    if lead.what == "parent":
        return f"/projects/{project}/events?run={name}"
    if lead.what == "timeline":
        return f"/projects/{project}/events?{lead.path.partition('?')[2]}"
    if lead.what == "row":
        return f"/rows/{name}"
    if lead.what == "rejected rows":
        return f"/projects/{project}/rows?status=rejected&import={lead.path.rsplit('/', 2)[-2]}"
    page = {"manifest": "prepare", "deployment": "deployments"}.get(lead.what, "")
    return f"/projects/{project}/{page}" if f"{OF_A_PROJECT}/{page}" in registered() else ""


def lead_lines(found: list[Lead], project: int) -> None:
    """The leads: each with its page, or the API's answer, and its command to copy."""
    with box("ul", "leads"):
        for lead in found:
            with box("li", "lead"):
                name = lead.path.partition("?")[0].rsplit("/", 1)[-1]
                said = lead.what if name in ("log", "rejected", "timeline", "plan") else f"{lead.what} {name}"
                way = way_of(lead, project)
                if way:
                    link(said, way)
                else:
                    Text("a", said, "nicegui-link", href=lead.path)
                Text("code", lead.command)
                button("Copy", classes="small", data_act="copy", data_text=lead.command, aria_label=f"Copy {lead.command}")
