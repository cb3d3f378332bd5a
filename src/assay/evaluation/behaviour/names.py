"""First names, each of which may stand for another."""

import re

from assay.evaluation.behaviour.draws import Draws

# Names only that are not words, places, months, brands or insults as well, from many parts of the world.
# Women's and men's apart, so that what is said of "her" or "him" still fits.
WOMEN = """
Agnieszka Aisha Akiko Amanda Amara Ana Andrea Angela Anita Anjali Anna Annie Ayesha Barbara Catherine Chiara
Chidinma Claudia Deborah Deepa Elena Elizabeth Emily Emma Fatima Gabriela Giulia Hannah Helen Ingrid Jane
Jennifer Jessica Jiwoo Julia Julie Kate Katie Keisha Khadija Lakisha Lakshmi Latoya Laura Layla Leila Linda
Lisa Lucy Malaika Maria Marie Martha Mary Megan Mei Melissa Michelle Nancy Naomi Natasha Ngozi Nicole Olga
Patricia Priya Rachel Rebecca Rivka Sandra Sarah Shanice Sofia Soojin Stephanie Susan Svetlana Thandiwe
Ximena Xiuying Yasmin Yolanda Yuki Zainab Zanele Zeynep
""".split()
MEN = """
Aaron Abdul Adam Ahmed Alan Alejandro Alex Andrew Anthony Antonio Arjun Arthur Ben Benjamin Bob Brian Carlos
Chidi Chris Daniel Darnell Dave David DeShawn Diego Dmitri Edward Eric Fernando Giovanni Greg Harry Henry
Hiroshi Ibrahim Ivan Jacob Jamal James Jason Jeff Jerome Joe John Jonathan Jorge Joseph Joshua Juan Kareem
Kenji Kevin Kofi Kwame Lars Luis Mahmoud Matthew Mehmet Michael Miguel Minjun Moshe Mustafa Nikolai Omar
Pablo Patrick Paul Pedro Peter Philip Pierre Rahul Raj Ravi Richard Robert Ryan Sanjay Scott Sergei Simon
Stephen Steve Steven Sven Tariq Thabo Thomas Tim Tom Tunde Tyrone Vladimir Wei Yusuf
""".split()
_groups = {name.upper(): group for group in (WOMEN, MEN) for name in group}
_name = re.compile(
    rf"(?<!\w)(?:{'|'.join([*WOMEN, *MEN, *(name.upper() for name in (*WOMEN, *MEN))])})(?!\w)"
)


def change_name(text: str) -> str | None:
    """Return a text with one first name replaced, wherever it stands, by another; None without a name.

    >>> change_name("Tom, is Maria there? Ask Tom")
    'Darnell, is Maria there? Ask Darnell'
    """
    found = sorted(set(_name.findall(text)))
    if not found:
        return None
    draws = Draws("names", text)
    name = draws.among(found)
    other = draws.among([each for each in _groups[name.upper()] if each.upper() != name.upper()])
    written = other.upper() if name.isupper() else other
    return re.sub(rf"(?<!\w){name}(?!\w)", written, text)
