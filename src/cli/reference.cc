#include "cli/reference.h"

#include <fmt/format.h>

#include <sstream>
#include <string_view>
#include <vector>

namespace strata::cli {
namespace {

// A command with the words that call it: "topics create".
struct Command {
  std::string words;
  const CLI::App* app = nullptr;
};

// The commands below `app`, groups before what is in them.
void Collect(const CLI::App& app, const std::string& words,
             std::vector<Command>& commands) {
  for (const CLI::App* one : app.get_subcommands({})) {
    const std::string name =
        words.empty() ? one->get_name() : words + " " + one->get_name();
    commands.push_back({name, one});
    Collect(*one, name, commands);
  }
}

std::vector<Command> CommandsOf(const CLI::App& app) {
  std::vector<Command> commands;
  Collect(app, "", commands);
  return commands;
}

// "--data-dir", "-d": as it is written.
std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  return names;
}

std::string Join(const std::vector<std::string>& words,
                 std::string_view separator) {
  return fmt::format("{}", fmt::join(words, separator));
}

// ---- the man page ---------------------------------------------------------

// Text as roff prints it; no line of it is a request.
std::string Roff(std::string_view text) {
  std::string out;
  bool line_start = true;
  for (const char c : text) {
    if (line_start && (c == '.' || c == '\'')) out += "\\&";
    line_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

std::string RoffOption(const CLI::Option& option) {
  std::string head;
  if (!option.get_positional()) {
    for (const std::string& name : NamesOf(option)) {
      head += fmt::format("{}\\fB{}\\fR", head.empty() ? "" : ", ", Roff(name));
    }
    const std::string type = option.get_type_name();
    if (!type.empty()) head += fmt::format(" \\fI{}\\fR", Roff(type));
  } else {
    head = fmt::format("\\fI{}\\fR", Roff(option.get_name()));
  }
  return fmt::format(".TP\n{}\n{}\n", head, Roff(option.get_description()));
}

std::string RoffOptions(const CLI::App& app) {
  std::string text;
  for (const CLI::Option* option : app.get_options({})) {
    text += RoffOption(*option);
  }
  return text;
}

std::string RoffCommand(const Command& command) {
  std::string text = fmt::format(".SS {}\n{}.\n{}", Roff(command.words),
                                 Roff(command.app->get_description()),
                                 RoffOptions(*command.app));
  const std::string footer = command.app->get_footer();
  if (!footer.empty()) {
    text += fmt::format(".PP\n.nf\n{}\n.fi\n", Roff(footer));
  }
  return text;
}

// ---- completion -----------------------------------------------------------

// The words of "memory|disk"; none where anything may be given.
std::string ChoicesOf(const CLI::Option& option) {
  std::string type = option.get_type_name();
  if (type.find('|') == std::string::npos) return "";
  std::istringstream words(type);
  std::string choices;
  for (std::string word; std::getline(words, word, '|');) {
    // A name in capitals stands for a value.
    if (word.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) {
      continue;
    }
    choices += (choices.empty() ? "" : " ") + word;
  }
  return choices;
}

// Whether the first argument is a topic that exists.
bool TakesTopic(const Command& command) {
  if (command.words == "topics create") return false;
  for (const CLI::Option* option : command.app->get_options({})) {
    if (option->get_positional()) return option->get_name() == "TOPIC";
  }
  return false;
}

std::string CaseOf(const Command& command) {
  std::vector<std::string> words;
  for (const CLI::App* one : command.app->get_subcommands({})) {
    words.push_back(one->get_name());
  }
  for (const CLI::Option* option : command.app->get_options({})) {
    for (std::string& name : NamesOf(*option)) words.push_back(std::move(name));
  }
  return fmt::format("    \"{}\") words=\"{}\"{}{} ;;\n", command.words,
                     Join(words, " "),
                     command.app->get_subcommands({}).empty() ? "" : " group=1",
                     TakesTopic(command) ? " topic=1" : "");
}

// The pattern of an option that takes a value: "topics list -o" and the like.
// Empty for the others.
std::vector<std::string> PatternsOf(const Command& command,
                                    const CLI::Option& option) {
  std::vector<std::string> patterns;
  if (option.get_type_name().empty()) return patterns;
  for (const std::string& name : NamesOf(option)) {
    patterns.push_back(fmt::format("\"{} {}\"", command.words, name));
  }
  return patterns;
}

// What follows an option: a choice, a directory, any file or word.
std::string ValueCasesOf(const Command& command) {
  std::string cases;
  for (const CLI::Option* option : command.app->get_options({})) {
    const std::vector<std::string> patterns = PatternsOf(command, *option);
    if (patterns.empty()) continue;
    const std::string choices = ChoicesOf(*option);
    cases += fmt::format(
        "    {}) {} return ;;\n", Join(patterns, "|"),
        !choices.empty()
            ? fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"));",
                          choices)
        : option->get_type_name() == "DIR"
            ? std::string("COMPREPLY=($(compgen -d -- \"$cur\"));")
            : std::string("COMPREPLY=();"));
  }
  return cases;
}

}  // namespace

std::string ManPage(const CLI::App& app) {
  const std::string name = app.get_name();
  std::string text = fmt::format(
      ".\\\" Written by {} man.\n"
      ".TH STRATA 1 \"\" \"strata {}\" \"Strata\"\n"
      ".SH NAME\n{} \\- {}\n"
      ".SH SYNOPSIS\n.B {}\n[\\fIOPTION\\fR]... \\fICOMMAND\\fR "
      "[\\fIARGUMENT\\fR]...\n"
      ".SH OPTIONS\n{}.SH COMMANDS\n",
      name, STRATA_VERSION, name, Roff(app.get_description()), name,
      RoffOptions(app));
  for (const Command& command : CommandsOf(app)) text += RoffCommand(command);
  return text + fmt::format(
                    ".SH ENVIRONMENT\n"
                    ".TP\n\\fBSTRATA_\\fINAME\\fR\nThe setting of this name "
                    "in capitals, a dot as _; see config.\n"
                    ".TP\n\\fBNO_COLOR\\fR\nIf not empty, no colours.\n"
                    ".SH NOTES\n.nf\n{}\n.fi\n",
                    Roff(app.get_footer()));
}

std::string BashCompletion(const CLI::App& app) {
  std::vector<Command> commands = CommandsOf(app);
  std::vector<std::string> known;
  for (const Command& command : commands) {
    const size_t space = command.words.rfind(' ');
    known.push_back(space == std::string::npos
                        ? fmt::format("\" {}\"", command.words)
                        : fmt::format("\"{}\"", command.words));
  }
  commands.insert(commands.begin(), {"", &app});
  std::string words, values;
  std::vector<std::string> takers;
  for (const Command& command : commands) {
    words += CaseOf(command);
    values += ValueCasesOf(command);
    for (const CLI::Option* option : command.app->get_options({})) {
      const auto patterns = PatternsOf(command, *option);
      takers.insert(takers.end(), patterns.begin(), patterns.end());
    }
  }
  return fmt::format(
      R"(# Completion of {0} in bash: source <({0} completion bash)
_{0}() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  local command= words= group= topic= dir= given=0 i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case "$command $word" in
      {1}) command="${{command:+$command }}$word" ;;
      {4})
        ((++i))
        [[ ${{COMP_WORDS[i]}} != = ]] || ((++i))
        [[ $word != -d && $word != --data-dir ]] || dir=${{COMP_WORDS[i]}} ;;
      *" -"*) ;;
      *) ((++given)) ;;
    esac
  done
  [[ $prev != = ]] || prev=${{COMP_WORDS[COMP_CWORD-2]}}
  case "$command $prev" in
{2}  esac
  case "$command" in
{3}  esac
  if [[ $topic && $given == 0 && $cur != -* ]]; then
    words=$("${{COMP_WORDS[0]}}" ${{dir:+-d "${{dir/#\~/$HOME}}"}} \
      topics list -o names 2>/dev/null)
  elif [[ ! $group && $cur != -* ]]; then
    words=  # where a file may stand: -o default completes it
  fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -o default -F _{0} {0}
)",
      app.get_name(), Join(known, "|"), values, words, Join(takers, "|"));
}

}  // namespace strata::cli
