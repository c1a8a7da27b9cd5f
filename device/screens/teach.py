"""The teach screen: hold a key, and the camera's pictures become examples of its class; or press it and say a word."""

from __future__ import annotations

from collections.abc import Callable

from device.cli.calling import as_called
from device.screens import box as boxes
from device.screens.cells import fit, fit_apart, text_columns, wrap
from device.screens.chart import bar
from device.screens.keyboard import PASTE
from device.screens.layouts import command, foreign
from device.screens.naming import NameField
from device.screens.panel import draw_picture, speed_text, way_text
from device.screens.terminal import AWAY, Terminal
from device.screens.ways import WayChoice
from device.teach.lesson import Lesson
from device.teach.looking import LookChooser
from device.teach.notice import PictureNotice
from device.teach.recorder import Recorder
from edge_tl.embedders.embedder import Embedder
from edge_tl.embedders.look.choices import Look
from edge_tl.embedders.look.marks import Mark
from edge_tl.embedders.look.ways import box_of
from edge_tl.errors import EdgeTLError, counted
from edge_tl.judge.guide import advise, few
from edge_tl.line import Line, Sight

KEYS = "1234567890"
MESSAGE_ROWS = 4
"""The most lines of a message: where classes cannot be told apart, it says what to record."""
HELP = (
    "1-9 hold  space on/off  tab select  n new class  s new session  u undo  d delete  l look  t train  p play  q quit",
    "1-9, space, tab, n new, s place, u undo, d del, l look, t train, p play, q quit",
    "1-9, space, tab, n new, s place, u undo, d del, l look, t train, p play, q",
    "1-9, tab, n new, s place, u undo, d del, l look, t train, p play, q",
)
"""The keys, for wide windows and for narrow ones, down to 72 columns."""
WORD_HELP = (
    "1-9 then speak  space  tab select  n new word  s new session  r replay  u undo  d delete  t train  p play  q quit",
    "1-9 speak, tab, n new, s place, r replay, u undo, d del, t train, p play, q",
    "1-9 speak, n new, s place, r replay, u undo, d del, t train, p play, q",
)
AFTER = {
    "few": "",
    "nothing-found": "; u deletes this take",
    "wrong-take": ": was it the wrong key? u deletes it",
    "one-session": "; s begins it, t trains",
    "mislabelled": "; `edge-tl report` shows them",
}
"""Which key helps with which advice; with all others one may train."""
UNSEEN = "recording ended because the screen was hidden"
PASTED = "pasted text is not a command: it was ignored"


class TeachScreen:
    """Runs until the person quits (`run` returns "quit") or wants to play ("play").

    train: called when training is wanted and nothing is missing; returns the line to show.
    recorder: makes examples of keys and frames.
    replay: called with a class to play its last recording; returns the line to show. None: there is nothing to hear.
    looking: which way to look, chosen by the first take and changed by `l`; None where there is nothing to look at.
    relook: called with the embedder that looks from now on.
    """

    def __init__(
        self,
        term: Terminal,
        line: Line,
        lesson: Lesson,
        recorder: Recorder,
        clock: Callable[[], float],
        train: Callable[[], str],
        replay: Callable[[str], str] | None = None,
        looking: LookChooser | None = None,
        relook: Callable[[Embedder], None] | None = None,
    ) -> None:
        self.term, self.line, self.lesson, self.recorder = term, line, lesson, recorder
        self.clock, self.train, self.replay, self.looking, self.relook = clock, train, replay, looking, relook
        self.selected = 0
        self.message = "press a number key, then say the word"
        if line.kind == "picture":
            self.message = "hold a number key and move: frames are recorded meanwhile"
        self._naming: NameField | None = None
        self._confirm: Callable[[str], None] | None = None
        self._unseen = False
        self._box: boxes.Box | None = None
        self._way: WayChoice | None = None
        self._notice, self._noticing = "", PictureNotice()
        self._sight: Sight | None = None

    def run(self) -> str:
        """The loop: one frame, the keys, the drawing."""
        while True:
            sight = self.line.read(timeout_s=0.05)
            for key in self.term.keys():
                try:
                    done = self.key(key)
                except EdgeTLError as error:
                    self.message, done = str(error), None
                if done:
                    self.lesson.end()
                    return done
            try:
                self._look()
                self.record(sight)
            except EdgeTLError as error:  # a full disk: what was counted is safe, and the person may make room
                self.recorder.release()
                self.message = str(error)
            if self.term.ready:
                self.draw()

    def record(self, sight: Sight | None) -> None:
        """Begin or end a take as the keys say, and add the frame to it."""
        self._sight = sight or self._sight
        if self.looking is not None and self.looking.busy:
            return  # what is recorded now would be embedded the old way
        if self.recorder.step(sight):
            self.message, self._unseen = UNSEEN if self._unseen else self.advice(), False
            if self.looking is not None:
                self.looking.take_ended()
        if sight is not None and self.line.kind == "picture":
            then = "recorded as a picture without one" if self.lesson.recording else "there is no answer"
            recognizer = self.lesson.recognizer
            self._notice = self._noticing(recognizer.embedder, sight.frame.data, nobody=recognizer.nobody, then=then)

    def _look(self) -> None:
        """Go on with a change of the way to look; a key that is held meanwhile records from its end on."""
        if self.looking is None or not self.looking.busy:
            return
        embedder = self.looking.step(self.clock)
        if embedder is not None and self.relook is not None:
            self.relook(embedder)
        if not self.looking.busy and self.lesson.counts():
            self.message = self.advice()

    def key(self, key: str) -> str | None:
        """Act on one key; "quit" or "play" ends the screen."""
        if key == AWAY:
            self._unseen = self.lesson.recording is not None
            self.recorder.release()
            return None
        if self._naming is not None:
            self._name(self._naming, key)
            return None
        if key.startswith(PASTE):
            self.message = PASTED
            return None
        key = command(key, "+-<>" if self._box is not None else "")
        if self._confirm is not None:
            answered, self._confirm = self._confirm, None
            answered(key)
            return None
        if self._box is not None:
            self._draw_box(key)
            return None
        if self._way is not None:
            self._choose_way(self._way, key)
            return None
        if self.looking is not None and self.looking.busy and key not in (*KEYS, " "):
            if key == "escape":
                self.looking.stop()
                self.message = self.looking.said
            return "quit" if key == "q" else None
        labels = self.lesson.labels
        if key in KEYS[: len(labels)]:
            self.selected = KEYS.index(key)
            self.recorder.press(labels[self.selected])
        elif key == " " and labels:
            self.recorder.toggle(labels[self.selected])
        elif key in ("tab", "down", "up") and labels:
            self.selected = (self.selected + (-1 if key == "up" else 1)) % len(labels)
        elif key in ("n", "s"):
            self._naming = NameField(session=key == "s")
        elif key == "r" and self.replay is not None and labels:
            self.message = self.replay(labels[self.selected])
        elif key == "u":
            self._ask_to_undo()
        elif key == "d" and labels:
            self._confirm = self._delete
            self.message = f"delete the class {labels[self.selected]} and all its examples? y or n"
        elif key == "b" and self.looking is not None:
            self._begin_box()
        elif key == "l" and self.looking is not None:
            self.recorder.release()
            self._way = WayChoice(self.looking.look.way)
        elif key == "t":
            self._train()
        elif key == "p":
            if self.lesson.recognizer.fitted:
                return "play"
            self.message = "train first: press t"
        elif key in ("q", "escape"):
            return "quit"
        else:
            self.message = self._otherwise(key) or self.message
        return None

    def _otherwise(self, key: str) -> str:
        """What is said of a key that is no command of this screen; empty for nothing."""
        return foreign(key)

    def _ask_to_undo(self) -> None:
        self.recorder.release()
        self.lesson.end()
        last = self.lesson.last_take()
        if last is None:
            self.message = "there is nothing to undo"
            return
        self._confirm = self._undo
        self.message = f"delete the last take, {counted(last[1], 'example')} of {last[0]}? u again or y; others keep it"

    def _undo(self, key: str) -> None:
        undone = self.lesson.undo() if key in ("u", "y") else None
        self.message = f"deleted {counted(undone[1], 'example')} of {undone[0]}" if undone else "the last take is kept"

    def advice(self) -> str:
        """The guide's sentence, with the key that goes with it."""
        advice = advise(self.lesson.recorded())
        return advice.text + AFTER.get(advice.kind, "; t trains")

    def _train(self) -> None:
        self.recorder.release()
        self.lesson.end()
        missing = few(self.lesson.recorded())
        self.message = missing.text if missing else self.train()

    def _name(self, naming: NameField, key: str) -> None:
        if key not in ("enter", "escape"):
            naming.press(key)
            return
        self._naming = None
        if key == "enter" and naming.session:
            self.recorder.release()
            session = self.lesson.new_session(naming.text)
            self.message = f"{session} begins: record a short take of each class in the new place"
        elif key == "enter":
            label = self.lesson.add_label(naming.text)
            self.selected = self.lesson.labels.index(label)
            self.message = f"new class {label}: {self._hint(self.selected)}"

    def _hint(self, position: int) -> str:
        if position >= len(KEYS):
            return "select it with tab and press space"
        return f"{'hold' if self.line.kind == 'picture' else 'press'} {KEYS[position]}"

    def _begin_box(self) -> None:
        self.recorder.release()
        self._box = box_of(self.line.recognizer.embedder) or boxes.MIDDLE
        self.message = boxes.HELP

    def _draw_box(self, key: str) -> None:
        assert self._box is not None
        if key != "enter":
            self._box = None if key == "escape" else boxes.changed(self._box, key)
            self.message = boxes.HELP if self._box else "nothing was changed"
            return
        box, self._box = self._box, None
        self._ask(Look("box", box))

    def _choose_way(self, choice: WayChoice, key: str) -> None:
        if key not in ("enter", "escape"):
            choice.press(key)
            return
        self._way = None
        if key == "escape":
            self.message = "nothing was changed"
        elif choice.way == "box":
            self._begin_box()
        else:
            self._ask(Look(choice.way))

    def _ask(self, look: Look) -> None:
        """Look so from now on; where examples have to be embedded again for it, only if the person wants that."""
        assert self.looking is not None
        looking = self.looking
        self.recorder.release()
        self.lesson.end()
        examples = sum(count.examples for count in self.lesson.counts().values())

        def answered(key: str) -> None:
            self.message = "nothing was changed"
            if key == "y":
                looking.ask(look)
                again = f"{counted(examples, 'example is', 'examples are')} embedded again; escape stops it"
                self.message = again if examples else looking.said

        if not examples or look == looking.look:
            answered("y")
            return
        self._confirm = answered
        self.message = f"embed the {counted(examples, 'example')} again for {look}, and train again? y or n"

    def _delete(self, key: str) -> None:
        label = self.lesson.labels[self.selected]
        if key != "y":
            self.message = f"{label} stays"
            return
        self.recorder.release()
        self.lesson.remove_label(label)
        self.selected = max(0, min(self.selected, len(self.lesson.labels) - 1))
        self.message = f"deleted {label}"

    @property
    def helps(self) -> tuple[str, ...]:
        """The keys, the longest line first."""
        return HELP if self.line.kind == "picture" else WORD_HELP

    def _marks(self) -> list[Mark] | None:
        """What is drawn over the picture; None for what was found in it."""
        if self._box is None or self._sight is None:
            return None
        return [boxes.mark(self._box, self._sight.frame.data.shape)]

    def draw(self) -> None:
        """Everything, anew."""
        term = self.term
        rows, columns = term.size
        term.clear()
        term.put(0, 0, "edge-tl teach", "yellow", bold=True)
        speed = term.slow or speed_text(self.line, [])
        speed_column = max(30, columns - len(speed) - 1)
        term.put(0, speed_column, speed, "orange" if term.slow else "grey")
        way = "look: auto" if self.looking is not None and self.looking.open else way_text(self.line)
        term.put(0, 15, fit(f"{way}  {self.lesson.session}", speed_column - 16), "green")
        picture_rows = max(6, min(rows - 12, 24))
        picture_columns = min(picture_rows * 8 // 3, columns - 44)
        draw_picture(term, 1, 0, picture_rows, picture_columns, self.line, self._sight, self._marks())
        self._draw_classes(2, picture_columns + 2, columns - picture_columns - 3, picture_rows)
        asking = self._naming or self._way
        prompt = asking.prompt if asking is not None else as_called(self.recorder.prompt or self.message)
        lines = wrap(prompt, columns - 1, MESSAGE_ROWS)
        more = max(0, len(lines) - 2)  # the pictures make room for what two lines do not hold
        self._draw_last_pictures(picture_rows + 3, columns, rows - more)
        text, colour = self._hint_line()
        term.put(rows - 4 - more, 0, fit(text, columns - 1), colour)
        for row, text in enumerate(lines, rows - 1 - len(lines)):
            term.put(row, 0, fit(text, columns - 1), "cyan", bold=True)
        keys = next((text for text in self.helps if len(text) < columns), self.helps[-1])
        term.put(rows - 1, 0, fit(keys, columns - 1), "grey")
        term.show()

    def _hint_line(self) -> tuple[str, str]:
        """What is wrong, how far a change of the way to look is, what is odd, or how it looks and why; its colour."""
        if self.line.fault:
            return self.line.fault, "red"
        if self.looking is None:
            return "", "green"
        if self.looking.progress is not None:
            done, total = self.looking.progress
            return f"embedding again [{bar(done / total, 30)}] {done} of {total}; then keys record", "cyan"
        if self._notice:
            return self._notice, "orange"
        return as_called(self.looking.said) + ("; l changes it" if self.looking.chosen else ""), "green"

    def _draw_classes(self, row: int, column: int, columns: int, limit: int) -> None:
        counts = self.lesson.counts()
        observation = self._sight.observation if self._sight else None
        chances = self._sight.chances if self._sight is not None else {}
        first = max(0, self.selected - limit + 1)
        shown = list(enumerate(self.lesson.labels))[first : first + limit]
        # Long names get what a bar of eight cells leaves; every row the same, or the bars could not be compared.
        longest = max((text_columns(label) for _, label in shown), default=0)
        name_columns = max(4, min(longest, columns - 29))
        names = fit_apart([label for _, label in shown], name_columns)
        for (position, label), name in zip(shown, names, strict=True):
            count = counts.get(label)
            number = f"{count.examples:4} in {count.takes}" if count and count.examples else "   0"
            key = KEYS[position] if position < len(KEYS) else " "
            text = f"{'▶' if position == self.selected else ' '}{key} {name} {fit(number, 10)}"
            recording = label == self.lesson.recording
            self.term.put(row, column, text, "red" if recording else "white", bold=recording)
            if label in chances:
                chance = chances[label]
                room = columns - text_columns(text) - 6
                if room > 3:
                    winner = observation is not None and observation.label == label
                    colour = "yellow" if winner else "grey"
                    self.term.put(
                        row, column + text_columns(text) + 1, f"{bar(chance, room)} {chance:4.0%}", colour, bold=winner
                    )
            row += 1

    def _draw_last_pictures(self, row: int, columns: int, rows: int) -> None:
        height = min(6, rows - row - 5)
        if height < 2:
            return
        width = height * 8 // 3
        column = 0
        for label, name in zip(self.lesson.labels, fit_apart(self.lesson.labels, width), strict=True):
            picture = self.lesson.last_picture.get(label)
            if picture is None:
                continue
            if column + width >= columns:
                break
            self.term.picture(row, column, picture, height, width)
            self.term.put(row + height, column, name, "grey")
            column += width + 2
