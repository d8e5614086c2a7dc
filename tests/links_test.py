"""links_test.py ROOT: do the relative links in all *.md files below ROOT lead
to files, and their #anchors to headings? Prints "file:line: what" for each
that does not; exit 1 if there is one."""
import os
import re
import sys

LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)|^\[[^]]+\]:\s+(\S+)")


def documents(root):
    """Paths of the *.md files, without those of build folders."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders
                            if f != "build" and not f.startswith("."))
        yield from (os.path.join(folder, f)
                    for f in sorted(files) if f.endswith(".md"))


def prose(path):
    """Numbered lines outside of code."""
    fence = False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.lstrip().startswith("```"):
                fence = not fence
            elif not fence:
                yield number, line


def anchors(path):
    """What the headings of a document are called in links to them."""
    names = set()
    for _, line in prose(path):
        heading = re.match(r"#+ +(.+?)\s*$", line)
        if heading:
            name = re.sub(r"[^\w\- ]", "", heading.group(1).lower())
            names.add(name.replace(" ", "-"))
    return names


def fault(document, target):
    """What is wrong with a link, if anything is."""
    if re.match(r"[a-z][a-z0-9+.-]*:", target):
        return None
    path, _, anchor = target.partition("#")
    path = os.path.join(os.path.dirname(document), path) if path else document
    if not os.path.exists(path):
        return "no such file"
    if anchor and path.endswith(".md") and anchor not in anchors(path):
        return "no such heading"
    return None


def main():
    root = sys.argv[1]
    links = faults = 0
    for document in documents(root):
        for number, line in prose(document):
            line = re.sub(r"`[^`]*`(?!\])", "", line)
            for match in LINK.finditer(line):
                target = match.group(1) or match.group(2)
                links += 1
                what = fault(document, target)
                if what:
                    faults += 1
                    name = os.path.relpath(document, root)
                    print(f"{name}:{number}: {target}: {what}")
    print(f"{links} links, {faults} lead nowhere")
    # None at all: this test sees nothing.
    return 0 if links and not faults else 1


sys.exit(main())
