/** Menus that stand on every page: language, theme. */
import { ActionIcon, type MantineColorScheme, Menu, useMantineColorScheme } from '@mantine/core';
import { appTexts } from '../kit/app-texts.ts';
import { Icon } from '../kit/icon.tsx';
import { chooseLanguage, languageNames, languages, useLanguage } from '../kit/language.ts';
import { useTexts } from '../kit/texts.ts';
import { showProblem } from '../kit/toast.tsx';

export const schemes = ['light', 'dark', 'auto'] as const satisfies readonly MantineColorScheme[];
const schemeIcons = { light: 'sun', dark: 'moon', auto: 'laptop' } as const;

export function ThemeMenu() {
  const t = useTexts(appTexts);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t('app.theme')}>
          <Icon name={schemeIcons[colorScheme]} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {schemes.map((scheme) => (
          <Menu.Item
            key={scheme}
            leftSection={<Icon name={schemeIcons[scheme]} size={16} />}
            rightSection={scheme === colorScheme ? <Icon name="check" size={16} /> : null}
            onClick={() => setColorScheme(scheme)}
          >
            {t(`app.theme.${scheme}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

export function LanguageMenu() {
  const t = useTexts(appTexts);
  const current = useLanguage();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size="lg"
          w={44}
          aria-label={`${current.slice(0, 2).toUpperCase()}, ${t('app.language')}`}
        >
          {current.slice(0, 2).toUpperCase()}
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {languages.map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            rightSection={language === current ? <Icon name="check" size={16} /> : null}
            onClick={() => void chooseLanguage(language).catch(showProblem)}
          >
            {languageNames[language]}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
