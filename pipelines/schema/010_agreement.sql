-- How far the people who labelled a sample agree. Grain: one row per report, channel and task.

alter table label_sample add column double_count bigint; -- drawn messages that both labellers get; null: all, or labelled elsewhere

create table report_agreement (
    report_id             varchar not null,
    channel               varchar not null,
    task                  varchar not null, -- category, issue or sentiment
    position              integer not null,
    sample_count          bigint not null,  -- samples of this window and channel
    drawn_count           bigint not null,  -- counted manifestations of the channel that they hold
    labelled_count        bigint not null,  -- those with a person's label of the task
    double_labelled_count bigint not null,  -- those with the labels of two people, each without the other's
    agreed_count          bigint not null,  -- those to which both gave the same label
    settled_count         bigint not null,  -- those that a third person settled
    labellers             varchar not null, -- JSON: A, B ... -> manifestations labelled; never a name
    kappa                 double,           -- Cohen's; null with fewer than 30 doubly labelled, or if all have one label
    kappa_low             double,           -- 95 % interval, bootstrap over the manifestations
    kappa_high            double,
    alpha                 double,           -- Krippendorff's, nominal; null where kappa is
    alpha_low             double,
    alpha_high            double
);
