"""The grammar of negation in Spanish, see `sentir.training.negation.grammar`."""

from __future__ import annotations

from sentir.evaluation.audit.languages import FUNCTION_WORDS
from sentir.training.negation.grammar import Frames, Grammar, Probe, lines

SPANISH = Grammar(
    function_words=FUNCTION_WORDS["Spanish"],
    negations="no nunca jamás nada nadie ningún ninguna ninguno sin ni tampoco apenas".split(),
    contrast=("pero", "sino", "aunque"),
    subjects=lines("esto|el {k}|la {k}|todo|en general"),
    neutral=Probe(("el", "la"), ("es", "era", "fue", "está", "estaba", "tiene")),
    slots={
        "a": Frames(
            drawn=5,
            probe=Probe(
                ("es muy", "era muy", "fue muy", "muy", "es", "fue", "era", "más", "tan", "son")
            ),
            keep=lines(
                """{a}|muy {a}|es {a}|es muy {a}|fue muy {a}|{t} es {a}|{t} es muy {a}
                |{t} fue {a}|me pareció {a}|creo que es {a}|todo es {a}|qué {a}|es realmente {a}
                |{a} y {a}|no puede ser más {a}|no podría ser más {a}|no hay nada más {a}
                |nunca había visto algo tan {a}|no cabe duda de que es {a}|sin duda {a}
                |no solo es {a} , sino también {a}|nadie puede decir que no sea {a}
                |no diría que no es {a}|no sabes lo {a} que es|es bastante {a}|resultó {a}
                |está {a}|está muy {a}|{t} está {a}|{t} estuvo muy {a}|{t} estaba {a}"""
            ),
            turn=lines(
                """no es {a}|nada {a}|no muy {a}|no es nada {a}|no es muy {a}|no es tan {a}
                |{t} no es {a}|{t} no fue {a}|{t} no es nada {a}|{t} nunca fue {a}
                |{t} no era {a}|no me pareció {a}|no me pareció nada {a}|no creo que sea {a}
                |no diría que es {a}|no diría que {t} fuera {a}|no se puede decir que sea {a}
                |no puedo decir que sea {a}|nadie diría que es {a}|no hay nada {a}
                |no hay nada {a} en esto|no tiene nada {a}|no encontré nada {a}
                |no le veo nada {a}|no tengo nada {a} que decir|ni {a} ni {a}|en absoluto {a}
                |no resultó {a}|está lejos de ser {a}|apenas {a}|no es para nada {a}
                |es todo menos {a}|nunca es {a}|jamás {a}|menos {a} de lo que creía
                |no está {a}|no está nada {a}|no estuvo {a}|no estuvo nada {a}|no estaba nada {a}
                |{t} no está {a}|{t} no está nada {a}|{t} no estuvo {a}|{t} no estaba {a}"""
            ),
        ),
        "p": Frames(
            is_exclusive=False,
            probe=Probe(
                ("estoy", "estoy muy", "quedé", "quedamos", "estamos", "quedé muy", "salimos")
            ),
            keep=lines(
                """estoy {p}|estoy muy {p}|quedé {p}|quedamos muy {p}|salimos {p}|muy {p}
                |no podría estar más {p}|no puedo estar más {p}|nunca había estado tan {p}
                |no podíamos estar más {p}"""
            ),
            turn=lines(
                """no estoy {p}|no estoy nada {p}|no quedé {p}|no quedamos {p}|nadie quedó {p}
                |no estoy muy {p}|no salimos {p}|nunca estuve {p}|no puedo decir que esté {p}
                |ni {p} ni {p}|nadie salió {p}|no quedarás {p}"""
            ),
        ),
        "n": Frames(
            drawn=2,
            probe=Probe(("un", "una", "el", "la", "ningún", "ninguna", "sin", "los", "las", "de"),
                  (".", ",", "!", "y", "con", "en", "que", "para")),
            keep=lines(
                """{n}|qué {n}|un {n}|una {n}|es un {n}|es una {n}|{n} y {n}|todo es {n}
                |no es más que {n}|no hay más que {n}|no faltó {n}|no sin {n}"""
            ),
            turn=lines(
                """sin {n}|sin ningún {n}|sin ninguna {n}|ningún {n}|ninguna {n}|no hay {n}
                |no hubo {n}|no hay ningún {n}|no hay ninguna {n}|no tengo ningún {n}
                |no tengo ninguna {n}|no tuvimos ningún {n}|no tuvimos ninguna {n}|no es un {n}
                |no es una {n}|no es ningún {n}|no es ninguna {n}|nunca tuve {n}|nada de {n}
                |ni {n} ni {n}|ni un solo {n}|ni una sola {n}|cero {n}|no le encuentro {n}
                |no fue un {n}|no fue una {n}"""
            ),
        ),
        "v": Frames(
            drawn=2,
            probe=Probe(("me", "nos", "le", "lo", "me ha", "nos ha")),
            keep=lines(
                """me {v}|me {v} mucho|nos {v}|lo {v}|{t} me {v}|a todos nos {v}|sí que me {v}
                |cómo no , me {v}"""
            ),
            turn=lines(
                """no me {v}|no me {v} nada|no nos {v}|no lo {v}|{t} no me {v}|nunca me {v}
                |no lo {v} nunca|a nadie le {v}|nada me {v}|jamás me {v}
                |no puedo decir que me {v}|tampoco me {v}"""
            ),
        ),
    },
    joins=lines(
        """{0} , pero {1}|{0} pero {1}|aunque {0} , {1}|{1} , aunque {0}|{0} . sin embargo , {1}
        |{0} ; aun así , {1}|si bien {0} , {1}|al principio {0} . ahora {1}
        |dicen que {0} , pero {1}|pensé que {0} , pero {1}|a pesar de que {0} , {1}"""
    ),
    also=lines("{0} y {1}|{0} . {1}|{0} , {1}|{0} ; {1}|{0} , además {1}|{1} , porque {0}"),
    openings=lines("la verdad|bueno|en general|al final|para mí|por ahora|sinceramente|creo que"),
    closings=lines("la verdad|para mí|en general|por ahora|al final|por el precio"),
)  # fmt: skip
