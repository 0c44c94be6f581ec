/** The page in French. */

import type { Texts } from './texts.ts';

export const french: Texts = {
  language: 'Français',
  translation: 'Ceci est une traduction. Seul le texte néerlandais fait foi.',
  title: 'Vérifier un reçu',
  question: 'Ce reçu est-il exact ?',
  lead: 'Une administration vous a remis un reçu ? Voyez ici s’il est authentique et si rien n’y a été modifié.',
  skip: 'Aller au contenu',
  languages: 'Langue',
  noScript:
    'Cette page calcule elle-même si un reçu est exact. JavaScript doit donc être activé. Sans JavaScript, vous pouvez faire de même avec le programme zegel verify.',

  ways: {
    heading: 'Donner le reçu',
    choose: 'Choisir un fichier',
    drop: 'ou faites-le glisser ici. Il peut y en avoir plusieurs, avec le document sur lequel ils portent.',
    release: 'Relâchez pour vérifier',
    field: 'Ou collez ici un code, un lien ou le texte d’un reçu',
    fieldHint: 'Un code compte 64 caractères : des chiffres et des lettres de a à f.',
    check: 'Vérifier',
    private:
      'La vérification se fait dans votre navigateur. Votre fichier ne quitte pas cet appareil. Ce n’est que pour un code, ou pour un reçu pas encore ancré, que la partie publique est demandée au registre.',
    retry: 'Réessayer',
    again: 'Vérifier un autre reçu',
    busy: 'Vérification en cours…',
    busyMany: (done, all) => `Vérification en cours : ${done} sur ${all}…`,
  },

  verdicts: {
    matches: 'Exact',
    'does-not-match': 'Inexact',
    'not-yet-anchored': 'Pas encore ancré',
    'could-not-check': 'N’a pas pu être vérifié',
  },
  matches: {
    record: ({ agency, date }) =>
      `Ce reçu est exact : ${agency} l’a signé, et rien n’y a changé depuis le ${date}.`,
    proofOnly: ({ agency, date }) =>
      `Ce reçu est exact : le registre contient une inscription de ${agency}, et rien n’y a changé depuis le ${date}.`,
    own: ({ date }) =>
      `Ce reçu est exact : c’est une inscription du registre lui-même, et rien n’y a changé depuis le ${date}.`,
  },
  pending: {
    record: 'Ceci est signé et inscrit au registre, mais pas encore fixé dans la blockchain.',
    proofOnly: 'Ceci est inscrit au registre, mais pas encore fixé dans la blockchain.',
    own: 'Cette inscription du registre lui-même n’est pas encore fixée dans la blockchain.',
  },
  doesNotMatch: 'Ceci est inexact :',
  wrong: {
    parse: 'ce fichier n’a pas la forme d’un reçu.',
    statement: 'la signature ne correspond pas à ce contenu et à cette clé.',
    commitment: 'le contenu n’est pas celui qui a été inscrit au registre.',
    batch: 'cet événement ne fait pas partie de ce qui a été signé.',
    inclusion: 'cette inscription ne se trouve pas à cette place dans le registre.',
    checkpoint: 'aucun registre auquel cette page fait confiance n’a signé ceci.',
    seals: 'trop peu de validateurs de la blockchain ont scellé ce bloc.',
    anchor: 'la blockchain ne contient pas ce que ce reçu prétend.',
    key: 'la clé n’était alors valable pour aucune instance.',
    time: 'l’inscription se dit plus récente que le bloc qui la fixe.',
    original: 'le fichier que vous avez mis à côté n’est pas ce qui a été signé.',
  },
  couldNotCheck: 'Ceci n’a pas pu être vérifié :',
  reasons: {
    'no-service': 'cette page vient d’un disque et ne sait pas à quel service demander un code.',
    unreachable: 'le service du registre est injoignable pour le moment.',
    'not-found': 'le service dit n’avoir rien sous ce code.',
    'strange-answer': 'le service a donné une réponse qui n’est pas un reçu.',
    'other-record': 'le service n’a pas donné de reçu pour ce code, mais autre chose.',
    'not-verified':
      'ce que le service a envoyé ne tient pas. Cela tient au service, ou au fichier de confiance.',
    'no-trust': 'il n’y a pas encore de fichier de confiance. Choisissez-en un ci-dessous.',
    'too-large': 'le fichier est plus grand qu’un reçu ne peut l’être.',
    'too-many': 'il y en a trop à la fois. Donnez-en mille au plus.',
    unreadable: 'votre navigateur n’a pas pu lire le fichier.',
    document: 'ceci est un document, pas un reçu. Donnez aussi le reçu, et ils seront comparés.',
    event: 'ceci est un événement sans reçu. Donnez aussi le reçu, et ils seront comparés.',
    trust: 'ceci est un fichier de confiance, pas un reçu. Vous pouvez l’utiliser ci-dessous.',
    fork: 'ceci prouve qu’un registre se contredit. Vérifiez-le avec le programme zegel verify.',
    'link-damaged': 'le lien n’est pas complet. Copiez-le à nouveau, du début à la fin.',
    'not-recognised': 'ceci n’est ni un code, ni un lien, ni un reçu.',
    'no-receipts': 'ce fichier ne contient pas de reçu.',
    fault: 'une erreur s’est produite dans cette page elle-même.',
  },
  advice: {
    wrong:
      'N’utilisez pas ce fichier comme preuve. Redemandez-le à qui vous l’a donné : il peut avoir été modifié ou endommagé en route.',
    otherLog: 'S’il vient d’un autre registre, choisissez ci-dessous le fichier de confiance de ce registre.',
    olderTrust:
      'La cause peut aussi être le fichier de confiance : s’il est plus ancien que le reçu, choisissez-en ci-dessous un plus récent.',
    original: 'Le reçu lui-même est exact. Voyez si vous avez choisi le bon fichier.',
    unchecked: 'Cela ne dit rien du reçu lui-même.',
    development:
      'Ceci est un registre d’exercice : personne ne se porte garant de sa blockchain, ce reçu n’est donc pas définitif.',
    completed:
      'Le reçu est maintenant complet. Gardez-le : vous n’avez plus besoin de personne pour le vérifier.',
  },
  waiting: {
    expected: date => `Cela se fait normalement avant ${date}.`,
    late: 'Cela prend plus de temps que d’habitude.',
    unknown: 'Cette page ne sait pas quand cela se fera.',
    bySelf: 'Vous n’avez rien à faire : cette page s’informe et complète elle-même le reçu.',
    noService:
      'Cette page n’a pas de service à interroger. Revenez plus tard, ou demandez le reçu complet à qui vous a donné celui-ci.',
    unreachable: 'Le service du registre est injoignable pour le moment. Cette page continue d’essayer.',
    notFound: 'Le service dit ne rien savoir de ceci. Cette page continue d’essayer.',
    notVerified: 'Ce que le service a envoyé ne tient pas. Cette page continue d’essayer.',
    asked: time => `Dernière demande à ${time}.`,
  },

  who: 'Qui',
  what: 'Quoi',
  when: 'Quand',
  labels: {
    agency: 'Instance',
    nameFrom: 'Le nom vient du fichier de confiance. Ce qui est prouvé, c’est le code.',
    unproved: 'Pas encore prouvé : cela viendra avec l’ancrage.',
    key: 'Clé',
    nobody: 'Le registre lui-même ; aucune instance n’a signé ceci.',
    log: 'Registre',
    kind: 'Sorte d’inscription',
    kinds: {
      transaction: 'Transaction',
      audit: 'Trace d’une action',
      genesis: 'Début du registre',
      chain: 'Renvoi à la blockchain',
    },
    type: 'Type d’événement',
    subject: 'Sujet',
    id: 'Référence',
    source: 'Source',
    eventTime: 'Heure selon l’instance',
    eventTimeBy: 'Ce que dit l’instance ; non prouvé.',
    content: 'Contenu',
    more: count => `Encore ${count} lignes : voir le texte tel que signé.`,
    asSigned: 'Tel que signé',
    asSignedHint:
      'Caractère par caractère ce que l’instance a signé. Ce que vous ne verriez pas est écrit en clair.',
    noContent:
      'Le contenu n’est pas dans ce reçu. L’instance, ou qui y a droit, peut en donner un avec le contenu.',
    entryTime: 'Au registre',
    entryTimeBy: 'Heure selon le registre.',
    blockTime: 'Fixé dans la blockchain',
    blockTimeBy: block => `Prouvé : pas plus tard que ceci. Bloc ${block}.`,
    notYet: 'Pas encore',
    code: 'Code',
    codeHint: 'Avec ce code, chacun peut voir que ceci figure au registre. Le contenu reste secret.',
  },

  steps: {
    heading: 'Les dix étapes de la vérification',
    lead: 'Chaque étape repose sur la précédente. À la première qui ne tient pas, la vérification s’arrête.',
    passed: 'tient',
    failed: 'ne tient pas',
    skipped: 'sans objet',
    notReached: 'pas examinée',
    verifier: 'Message du vérificateur, en anglais :',
    each: {
      parse: { title: 'Forme', text: 'Le fichier a exactement la forme d’un reçu.' },
      statement: {
        title: 'Signature',
        text: 'La signature correspond au contenu et à la clé, et a été faite pour ce registre.',
      },
      commitment: {
        title: 'Contenu',
        text: 'L’inscription au registre a été faite à partir de ce contenu précis.',
      },
      batch: { title: 'Lot', text: 'L’événement fait partie du lot qui a été signé ensemble.' },
      inclusion: { title: 'Place', text: 'L’inscription se trouve à sa place dans le registre.' },
      checkpoint: { title: 'Registre', text: 'Un registre auquel vous faites confiance a signé cet état.' },
      seals: { title: 'Sceaux', text: 'Assez de validateurs de la blockchain ont scellé le bloc.' },
      anchor: { title: 'Ancre', text: 'L’état du registre figure dans ce bloc.' },
      key: { title: 'Clé', text: 'La clé était alors valable, au nom de cette instance.' },
      time: { title: 'Heure', text: 'L’inscription n’est pas plus récente que le bloc.' },
    },
  },

  limits: {
    heading: 'Ce que ceci prouve, et ce qu’il ne prouve pas',
    proves: 'Ceci prouve',
    provesNot: 'Ceci ne prouve pas',
    signed: ({ agency }) => `Une clé de ${agency} a signé ceci.`,
    existed: ({ date }) => `Cela figurait au registre le ${date} au plus tard.`,
    unchanged: 'Depuis, pas un caractère n’en a changé, pas même par le registre.',
    accepted: 'Le registre a accepté et signé ceci.',
    signedOnly: 'Qui détient la clé a signé ceci.',
    sealed: 'Assez de validateurs de la blockchain ont scellé le bloc : il ne peut plus disparaître.',
    truth: 'Que ce qui est dit est vrai. Une signature prouve qui a dit quelque chose, non que c’est ainsi.',
    later: 'Que rien d’autre n’a été décidé plus tard. Cela figurerait dans un autre reçu.',
    exactTime: 'Quand cela s’est passé exactement. L’heure du bloc n’est qu’une limite extrême.',
    contentMissing: 'Ce qui y est dit : le contenu n’est pas dans ce reçu.',
    notFinal: 'Que c’est définitif : qui gère une blockchain d’exercice peut tout refaire.',
    notAnchored: 'Que cela restera : tant que ce n’est pas ancré, cela dépend du registre.',
    trust: 'Que le fichier de confiance est le bon. Comparez donc l’empreinte.',
  },

  original: {
    heading: 'Avez-vous le document lui-même ?',
    beside: 'Le fichier à côté',
    lead: 'Mettez-le à côté du reçu, et vous verrez si c’est ce qui a été signé.',
    choose: 'Choisir le document',
    busy: 'Comparaison en cours…',
    unreadable: 'Votre navigateur n’a pas pu lire le fichier.',
    loose: names => `Fichiers qui n’appartiennent à aucun de ces reçus : ${names}.`,
    found: {
      event: 'C’est, caractère par caractère, ce qui a été signé.',
      'event-respelt': 'Ceci contient la même chose que ce qui a été signé, mais autrement mis en page.',
      'other-event': 'C’est un autre événement que celui qui a été signé.',
      'other-document': 'C’est un autre fichier que le document qui a été signé.',
      'no-event': 'Il n’y a rien à comparer : le contenu n’est pas dans ce reçu.',
      'no-fingerprint':
        'Il n’y a rien à comparer : ce qui a été signé ne mentionne aucune empreinte de ce fichier.',
    },
    document: path =>
      `C’est le fichier dont l’empreinte a été signée${path === null ? '' : `, à « ${path} »`}.`,
  },

  trust: {
    heading: 'Sur quoi cela repose-t-il ?',
    lead: 'Sur un seul fichier, le fichier de confiance : il dit à quel registre, à quelle blockchain et à quels validateurs cette page fait confiance. Si ce fichier n’est pas le bon, la vérification ne dit rien.',
    ofPage: 'Ce fichier de confiance se trouvait dans la page.',
    ofVisitor: 'Vous avez choisi ce fichier de confiance vous-même.',
    none: 'Il n’y a pas de fichier de confiance dans cette page. Choisissez-en un vous-même.',
    fingerprint: 'Empreinte (SHA-256)',
    how: 'Le gestionnaire du registre publie aussi cette empreinte par une autre voie, par exemple sur papier. Comparez-la à ce que vous y voyez, ou collez-la ici.',
    compare: 'Empreinte trouvée ailleurs',
    same: 'Identique.',
    different: 'Pas identique. Ne faites pas confiance à cette page avant de savoir pourquoi.',
    partial: 'Incomplète : une empreinte compte 64 caractères.',
    issued: (number, date) => `Numéro ${number}, du ${date}.`,
    logs: 'Pour',
    own: 'Utiliser mon propre fichier de confiance',
    back: 'Revenir à celui de la page',
    fault: 'Ce n’est pas un fichier de confiance :',
    download: 'Enregistrer le fichier de confiance',
  },

  self: {
    heading: 'Vérifier soi-même, sans cette page',
    lead: 'Avec le programme zegel, sur votre propre ordinateur et sans connexion. Enregistrez d’abord les deux fichiers.',
    receipt: 'Enregistrer le reçu',
    page: 'Enregistrer cette page',
    pageHint: 'La page enregistrée fonctionne aussi sans internet.',
    print: 'Imprimer',
    link: 'Lien pour vérifier ceci à nouveau',
  },

  table: {
    caption: 'Les reçus que vous avez donnés',
    summary: counts => {
      const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const parts = [`Exacts : ${counts.matches} sur ${all}`];
      if (counts['does-not-match'] > 0) parts.push(`inexacts : ${counts['does-not-match']}`);
      if (counts['not-yet-anchored'] > 0) parts.push(`pas encore ancrés : ${counts['not-yet-anchored']}`);
      if (counts['could-not-check'] > 0) parts.push(`non vérifiés : ${counts['could-not-check']}`);
      return `${parts.join(', ')}.`;
    },
    receipt: 'Reçu',
    verdict: 'Verdict',
    agency: 'Qui',
    when: 'Quand',
    what: 'Quoi',
    open: 'Montrer',
    back: 'Retour à tous les reçus',
    unnamed: number => `Reçu ${number}`,
  },

  foot: 'Cette page ne transmet pas vos fichiers, ne garde rien et ne place aucun cookie.',
};
