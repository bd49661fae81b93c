-- What annotators read and what people labelled. Grain: one row per manifestation version, task, annotator, revision and taxonomy.

create table annotator_task (
    annotator        varchar not null,
    revision         varchar not null,
    taxonomy_version varchar not null,
    task             varchar not null,
    labels           varchar[] not null, -- the order of annotation.probabilities
    run_id           varchar not null
);

create table annotation (
    manifestation_id varchar not null,
    version          varchar not null,
    task             varchar not null,
    annotator        varchar not null,
    revision         varchar not null,
    taxonomy_version varchar not null,
    label            varchar not null,
    score            double not null,    -- probability of the label, in [0, 1]
    probabilities    float[] not null,   -- of every label, in the order of annotator_task.labels
    run_id           varchar not null
);

create table label (
    city             varchar not null,   -- a person's label of the city's own gold sample
    sample_id        varchar not null,
    manifestation_id varchar not null,
    version          varchar,
    task             varchar not null,
    label            varchar not null,
    labeller         varchar not null,   -- A, B ...: never a name
    run_id           varchar not null
);
