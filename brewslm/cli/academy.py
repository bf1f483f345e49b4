"""brewslm academy: the course in the terminal."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from brewslm.cli.console import Json, actor, print_json, print_line, print_table, problems, run_operation

if TYPE_CHECKING:
    from brewslm.observe.academy import AcademyView, ExerciseView, LessonView, Progress
    from brewslm.pipeline.runs import RunView

LessonName = Annotated[str, typer.Argument(metavar="LESSON", help="Its name; see brewslm academy.")]
AnyProject = Annotated[
    int | None, typer.Option("--project", help="Look at this project's events; at every project's when left out.")
]
Journal = Annotated[int | None, typer.Option("--project", help="Tell it in this project's stream and journal; in none's else.")]


class Lessons(TyperGroup):
    """`brewslm academy tokens` is `brewslm academy read tokens`: a word that is no verb is a lesson."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The verb, or `read`."""
        known = not args or args[0] in self.commands or args[0].startswith("-")
        return super().resolve_command(ctx, args if known else ["read", *args])


academy_app = typer.Typer(cls=Lessons, help="The course: short lessons, each with a quiz and something to do.")


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(academy_app, name="academy")


@academy_app.callback(invoke_without_command=True)
def lessons(context: typer.Context, project: AnyProject = None, json: Json = False) -> None:
    """List the lessons, with what you read, answered and did."""
    if context.invoked_subcommand is not None:
        return
    from brewslm.observe.academy import academy

    with problems(json):
        found = academy(project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _list(found)


def _list(found: "AcademyView") -> None:
    for part in found.parts:
        print_line(part.title)
        print_table(
            [(f"  {one.number:>2}", _marks(one.progress), one.name, one.title, f"{one.minutes} min") for one in part.lessons]
        )
    print_line(
        f"{found.read} of {found.lessons} read · {found.quizzes_passed} quizzes passed · {found.exercises_done} exercises done"
    )
    if found.next:
        print_line(f"next: brewslm academy {found.next}")


def _marks(progress: "Progress") -> str:
    told = (("read", progress.read), ("quiz", progress.quiz_passed), ("done", progress.exercise_done))
    return " ".join(word if is_so else "····" for word, is_so in told)


@academy_app.command()
def read(lesson: LessonName, project: Journal = None, json: Json = False) -> None:
    """Show a lesson, and remember that it was read."""
    from brewslm.observe.academy import lesson as view
    from brewslm.pipeline import execute
    from brewslm.stages.academy import ReadRequest

    with problems(json):
        found = view(lesson, project)
        if not found.progress.read:
            execute.call(actor(), ReadRequest(lesson=lesson, project=project))
            found = view(lesson, project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _show(found)


def _show(found: "LessonView") -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    quiz = "\n".join(
        f"{number}. {one.ask}\n" + "".join(f"    - **{letter}** {text}\n" for letter, text in one.choices.items())
        for number, one in enumerate(found.quiz, 1)
    )
    commands = "".join(f"    {command}\n" for command in found.exercise.commands)
    figure = f"> **Figure: {found.figure.title}.** {found.figure.description}"
    text = f"# {found.number}. {found.title}\n\n{found.text}\n\n{figure}\n\n## Quiz\n\n{quiz}\n"
    text += f"## Do it here\n\n{found.exercise.goal}\n\n{commands}\n"
    Console(soft_wrap=False).print(Markdown(text))
    print_line(f"answer: brewslm academy answer {found.name} LETTER…  ({len(found.quiz)} of them, in order)")
    print_line(f"check:  brewslm academy check {found.name}")


@academy_app.command()
def answer(
    lesson: LessonName,
    answers: Annotated[list[str], typer.Argument(metavar="LETTER…", help="One for each question, such as b a c.")],
    project: Journal = None,
    json: Json = False,
) -> None:
    """Answer a lesson's quiz; each answer is told whether it is right, and why."""
    from brewslm.errors import StageError
    from brewslm.reasons.refusals import InvalidRequest
    from brewslm.stages.academy import AnswerRequest

    with problems(json):
        odd = next((letter for letter in answers if letter not in "abcd" or len(letter) != 1), None)
        if odd is not None:
            raise StageError(
                InvalidRequest(), "the quiz was not answered", where=odd, cause="an answer is one of the letters a to d",
                next_step=f"See the questions with brewslm academy read {lesson}.",
            )  # fmt: skip
    request = AnswerRequest.model_validate({"lesson": lesson, "answers": answers, "project": project})

    def show(view: "RunView") -> None:
        result = view.result or {}
        for number, one in enumerate(result["answers"], 1):
            print_line(f"{number}. {one['chosen']}  {'right' if one['right'] else 'wrong'}: {one['why']}")
            if not one["right"]:
                print_line(f"   {one['right_letter']}  {one['right_why']}")
        said = "passed" if result["passed"] else "not passed so far; answer again as often as you like"
        print_line(f"{result['right']} of {result['questions']} right: {said}")

    run_operation(request, json, show)


@academy_app.command()
def check(lesson: LessonName, project: AnyProject = None, json: Json = False) -> None:
    """Hold a lesson's exercise against the event stream; exit 3 while it is not done."""
    from brewslm.observe.academy import exercise

    with problems(json):
        found = exercise(lesson, project)
    if json:
        print_json(found.model_dump(mode="json"))
    else:
        _check(found)
    raise typer.Exit(0 if found.done else 3)


def _check(found: "ExerciseView") -> None:
    where = f"project {found.project}" if found.project else "no project so far"
    print_line(f"{found.lesson}: {'done' if found.done else 'not done'}, by the events of {where}")
    for one in found.steps:
        seen = f"event {one.event}" if one.event is not None else "not seen"
        print_line(f"  {seen:<12} {one.said} ({' or '.join(one.reasons)})")
    if not found.done:
        print_line(f"next: {found.next_step}")
        for command in found.commands:
            print_line(f"  {command}")
