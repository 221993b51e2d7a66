"""Reads Scripts/k8s-job.yaml for Scripts/verify/batch/kubernetes.sh, since there is no cluster to ask.

  kubernetes.py JOB command   the command line of the pod, a word a line
  kubernetes.py JOB count     the number of pods
  kubernetes.py JOB action N  what the job does about a pod that ends with exit code N
"""

import sys

import yaml


def action(spec, code):
    """The action of the first rule that holds for an exit code; a failure that no rule names counts."""
    container = spec["template"]["spec"]["containers"][0]["name"]
    for rule in spec["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes")
        if codes and codes.get("containerName", container) == container:
            assert codes["values"] == sorted(set(codes["values"])) and 0 not in codes["values"], codes
            if (code in codes["values"]) == (codes["operator"] == "In"):
                return rule["action"]
    return "Count"


def main():
    path, what, *rest = sys.argv[1:]
    with open(path) as file:
        spec = yaml.safe_load(file)["spec"]
    assert spec["completionMode"] == "Indexed" and spec["template"]["spec"]["restartPolicy"] == "Never"
    container = spec["template"]["spec"]["containers"][0]
    mounts = {mount["name"] for mount in container["volumeMounts"]}
    assert mounts == {volume["name"] for volume in spec["template"]["spec"]["volumes"]}, mounts
    if what == "command":
        print("\n".join(container["command"] + container["args"]))
    elif what == "count":
        print(spec["completions"])
    else:
        print(action(spec, int(rest[0])))


if __name__ == "__main__":
    main()
