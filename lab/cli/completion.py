"""`lab completion`: a script that lets a shell complete commands, options and the steps of the Labfile at hand."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.cli import arguments
from lab.cli.completion_names import step_names
from lab.cli.completion_words import candidates

ABOUT = """Print the script that lets a shell complete `lab`: commands, options, files, and the steps,
overlays and variables of the Labfile at hand.

  bash:  lab completion bash > ~/.local/share/bash-completion/completions/lab
         (or in ~/.bashrc: eval "$(lab completion bash)")
  zsh:   lab completion zsh > a folder of $fpath/_lab
         (or in ~/.zshrc, after compinit: eval "$(lab completion zsh)")
  fish:  lab completion fish > ~/.config/fish/completions/lab.fish"""

_BASH = """\
# bash completion for lab
_lab() {
    local line place
    COMPREPLY=()
    while IFS=$'\\t' read -r line _; do
        case $line in
            :files) place=-f ;;
            :folders) place=-d ;;
            *) COMPREPLY+=("$line") ;;
        esac
    done < <("$1" completion --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ $place ]]; then
        compopt -o filenames
        while read -r line; do COMPREPLY+=("$line"); done < <(compgen "$place" -- "$2")
    elif [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi
}
complete -F _lab lab
"""

_ZSH = """\
#compdef lab
# zsh completion for lab
_lab() {
    local -a found open
    local line place
    for line in "${(@f)$(${(Q)words[1]} completion --complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            '') ;;
            :files) place=files ;;
            :folders) place=folders ;;
            *=) open+=("$line") ;;
            *) found+=("${${line//:/\\\\:}/$'\\t'/:}") ;;
        esac
    done
    (( $#found )) && _describe -V lab found
    (( $#open )) && compadd -S '' -a open
    [[ $place == files ]] && _files
    [[ $place == folders ]] && _files -/
}
if [[ $funcstack[1] == _lab ]]; then _lab "$@"; else compdef _lab lab; fi
"""

_FISH = """\
# fish completion for lab
function __lab_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] completion --complete $words[2..-1] "$current" 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':folders'
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c lab -f -a '(__lab_complete)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def main(words: Sequence[str]) -> int:
    """Prints a shell's script; with `--complete WORD…` what may stand for the last word, for those scripts."""
    if words and words[0] == "--complete":
        # said plainly, so that the shell sees whole lines also where the locale has no such letters
        text = "".join(f"{line}\n" for line in candidates(list(words[1:])))
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        return 0
    parser = arguments.parser("completion", ABOUT)
    parser.add_argument("shell", nargs="?", choices=list(SCRIPTS), help="which shell")
    parser.add_argument(
        "--steps", action="store_true", help="print the names of the Labfile's steps"
    )
    args = arguments.parse(parser, words)
    if args.steps:
        print("\n".join(step_names(None)))
        return 0
    if args.shell is None:
        raise arguments.usage("which shell?", f"`lab completion {'|'.join(SCRIPTS)}`")
    print(SCRIPTS[args.shell], end="")
    return 0
