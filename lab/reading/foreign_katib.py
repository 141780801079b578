"""Katib's words for an Experiment, and how a sweep says the same."""

from __future__ import annotations

from collections.abc import Mapping

KATIB: Mapping[str, str] = {
    "maxTrialCount": "write trials: {max: @}",
    "parallelTrialCount": "write trials: {parallel: @}",
    "maxFailedTrialCount": "write trials: {max_failed: @}",
    "trialTemplate": "write trial: {like: STEP}, with the step that one trial is",
    "trialSpec": "write trial: {like: STEP}, with the step that one trial is",
    "trialParameters": "remove it; `{{ parameters.NAME }}` in the trial takes the sweep's values",
    "primaryContainerName": "remove it; a trial is a step, and lab knows its container",
    "successCondition": "remove it; a trial that is done says so by its exit status",
    "failureCondition": "remove it; a trial that fails says so by its exit status",
    "objectiveMetricName": "write objective: {metric: @, type: maximize}",
    "additionalMetricNames": "write objective: {additional_metrics: [loss]}",
    "metricStrategies": "write objective: {metric_strategies: {accuracy: latest}}",
    "algorithmName": "write algorithm: {name: @}",
    "algorithmSettings": "write algorithm: {name: tpe, settings: {n_startup_trials: 10}}",
    "earlyStopping": "write early_stopping: {name: medianstop}",
    "parameterType": "write type: @, directly below the parameter's name",
    "feasibleSpace": "write min, max, step, list or distribution directly below the name",
    "metricsCollectorSpec": "write metrics: {from: stdout} in the trial",
    "metricsCollector": "write metrics: {from: stdout} in the trial",
    "resumePolicy": "write resume_policy: @",
    "nasConfig": "remove it; lab has no architecture search",
}
"""What to write instead, by Katib's word; `@` stands for the value."""
