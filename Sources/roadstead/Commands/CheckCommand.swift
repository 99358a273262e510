import ArgumentParser
import Kubernetes

/// `roadstead check`: is what the files say valid?
struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Say whether manifests are valid; every problem with its file and line.",
    discussion: "Exits with 1 when there is an error. Warnings alone are fine.")

  @OptionGroup var manifests: ManifestOptions
  @OptionGroup var targets: TargetOptions

  func run() throws {
    guard !manifests.paths.isEmpty else { throw ValidationError("check needs at least one -f PATH") }
    let loaded = ManifestLoader.load(manifests.paths)
    var planner = Planner(resolver: targets.resolver)
    let plan = planner.plan(loaded.store, now: 0)
    let unannounced = plan.announcementProblems(loaded.store, nodeName: targets.nodeName)
    let problems = (loaded.problems + plan.problems + unannounced).sorted {
      ($0.file, $0.line ?? 0) < ($1.file, $1.line ?? 0)
    }
    for problem in problems { print(problem) }
    let advertisements = loaded.store.l2Advertisements.count
    if advertisements == 0, plan.hasAddressesToAnnounce {
      print("notice: nothing is announced on layer 2: there is no L2Advertisement")
    }
    let errors = problems.count { $0.severity == .error }
    let warnings = problems.count { $0.severity == .warning }
    let found = [
      count(plan.services.count, "Service"), count(plan.pools.count, "pool"), count(advertisements, "L2Advertisement"),
    ].joined(separator: ", ")
    let verdict = errors == 0 ? "valid" : count(errors, "error")
    print(
      "\(found) in \(count(loaded.files.count, "file")): \(verdict)"
        + (warnings == 0 ? "" : ", \(count(warnings, "warning"))"))
    if errors > 0 { throw ExitCode(1) }
  }

  private func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
